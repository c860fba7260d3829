"""One lock for all processes of a machine."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from cognee_dagster.system.host_lock import host_lock, host_name

HOLDER = """
import sys, threading
from pathlib import Path
import pytest

from cognee_dagster.system.host_lock import host_lock, host_name
with host_lock("url", "demo", stop=threading.Event(), waiting=print, directory=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_of_another_process_is_waited_for_until_it_ends_and_can_be_given_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    waited_for: list[str] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        given_up = threading.Event()
        given_up.set()
        with host_lock("url", "demo", stop=given_up, waiting=waited_for.append, directory=tmp_path) as held:
            assert not held
        with host_lock("url", "other", stop=threading.Event(), waiting=waited_for.append, directory=tmp_path) as held:
            assert held, "another dataset's lock is another lock"
        assert waited_for == [str(holder.pid)]
        holder.stdin.close()
        with host_lock("url", "demo", stop=threading.Event(), waiting=waited_for.append, directory=tmp_path) as held:
            assert held


def test_a_mark_in_a_named_pipe_is_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "locks").mkdir()
    os.mkfifo(tmp_path / "locks" / "mark")
    name = host_name(directory=tmp_path / "locks")
    assert name == host_name(directory=tmp_path / "locks")
    assert len(name.partition("/")[2]) == len("0" * 32)
