"""The child process that runs Cognee: its channel, its environment, its errors and its end.

A stand-in package named ``cognee`` plays Cognee's part; tests/integration does the same with the real one.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

import cognee_dagster.sources.cognee.documents as worker
from cognee_dagster.errors import CogneeNotInstalledError, DatasetPermissionError, LocalCogneeError
from cognee_dagster.sources.cognee.child import cognee_child
from cognee_dagster.sources.cognee.child.process import ask_cognee
from cognee_dagster.sources.cognee.config import LocalCogneeConfig
from cognee_dagster.sources.cognee.documents import add_documents
from cognee_dagster.sources.cognee.through_cognee import open_through_cognee

REQUEST = {"dataset": "notes", "dataset_id": None, "user": {"email": "me@example.com"}}


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[..., LocalCogneeConfig]:
    """Makes a configuration whose interpreter imports, as ``cognee``, a package with this source."""

    def make(source: str, **environ: str) -> LocalCogneeConfig:
        package = tmp_path / f"lib{uuid4().hex}" / "cognee"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('__version__ = "0"\n' + textwrap.dedent(source))
        return LocalCogneeConfig(
            environ={"PATH": os.environ["PATH"], "PYTHONPATH": str(package.parent), "MARK": str(tmp_path), **environ}
        )

    return make


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z" if Path("/proc").exists() else True


def wait_until_gone(pid: int, *, seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_running(pid):
            return True
        time.sleep(0.05)
    return False


def test_whatever_cognee_prints_does_not_disturb_the_answers(stand_in: Callable[..., LocalCogneeConfig]) -> None:
    config = stand_in("import os; print('{\"event\": \"done\"}', flush=True); os.system('echo noise; echo noise >&2')")
    messages = ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60)
    assert next(messages) == {"event": "ready", "version": "0"}
    messages.close()


def test_modules_beside_the_script_do_not_shadow_the_packages_they_are_named_after(
    stand_in: Callable[..., LocalCogneeConfig],
) -> None:
    config = stand_in("import networkx; assert networkx.Graph")
    messages = ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60)
    assert next(messages)["event"] == "ready"
    messages.close()


def test_the_resolved_settings_arrive_and_no_dotenv_can_override_them(
    stand_in: Callable[..., LocalCogneeConfig],
) -> None:
    source = """
        import os, pathlib
        file = pathlib.Path(os.environ["COGNEE_ENV_FILE"])
        assert file.is_file() and file.read_text() == "", file
        raise RuntimeError("DB_PROVIDER is " + os.environ["DB_PROVIDER"])
    """
    config = stand_in(source, DB_PROVIDER="postgres", COGNEE_ENV_FILE="/of/the/user/.env")
    with pytest.raises(LocalCogneeError, match="DB_PROVIDER is postgres"):
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60))


def test_no_child_gets_the_key_of_the_remote_and_cognee_gets_its_own(
    stand_in: Callable[..., LocalCogneeConfig],
) -> None:
    config = stand_in(
        "import os; raise RuntimeError(sorted(name for name in os.environ if 'KEY' in name))",
        COGNEE_API_KEY="of-the-remote",
        LLM_API_KEY="of-the-model",
    )
    with pytest.raises(LocalCogneeError, match=r"\['LLM_API_KEY'\]"):
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60))


def test_a_failure_shows_cognees_last_words_but_no_key(stand_in: Callable[..., LocalCogneeConfig]) -> None:
    source = """
        import os, sys
        key = os.environ["LLM_API_KEY"]
        print("\\x1b[31mlast words about", key, file=sys.stderr)
        raise RuntimeError("the model refused " + key)
    """
    config = stand_in(source, LLM_API_KEY="sk-marker-123")
    with pytest.raises(LocalCogneeError) as caught:
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60))
    assert "the model refused […]" in str(caught.value)
    assert "\nlast words about […]" in str(caught.value)
    assert "sk-marker-123" not in str(caught.value)


def test_a_child_that_dies_is_an_error_with_its_last_words(stand_in: Callable[..., LocalCogneeConfig]) -> None:
    config = stand_in("import os, sys; print('segmentation', file=sys.stderr, flush=True); os._exit(139)")
    with pytest.raises(
        LocalCogneeError, match=r"(?s)ended in the middle of read_graph for dataset 'notes'.*segmentation"
    ):
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60))


def test_a_child_that_takes_too_long_is_ended(stand_in: Callable[..., LocalCogneeConfig], tmp_path: Path) -> None:
    config = stand_in("""
        import os, pathlib, time
        pathlib.Path(os.environ["MARK"], "pid").write_text(str(os.getpid()))
        time.sleep(600)
    """)
    with pytest.raises(LocalCogneeError, match="within 3 s"):
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=3))
    assert wait_until_gone(int((tmp_path / "pid").read_text()))


SLEEPS_WITH_A_GRANDCHILD = """
    import os, pathlib, subprocess, sys, time
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    mark = pathlib.Path(os.environ["MARK"])
    (mark / "pids.new").write_text(f"{os.getpid()} {grandchild.pid}")
    (mark / "pids.new").rename(mark / "pids")
"""


def test_an_interrupt_ends_the_child_and_all_it_started(
    stand_in: Callable[..., LocalCogneeConfig], tmp_path: Path
) -> None:
    config = stand_in(SLEEPS_WITH_A_GRANDCHILD)
    messages = ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60)
    assert next(messages)["event"] == "ready"
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    with pytest.raises(KeyboardInterrupt):
        messages.throw(KeyboardInterrupt())
    assert [wait_until_gone(pid) for pid in pids] == [True, True]


def test_a_killed_parent_leaves_no_child_behind(stand_in: Callable[..., LocalCogneeConfig], tmp_path: Path) -> None:
    config = stand_in(SLEEPS_WITH_A_GRANDCHILD + "    time.sleep(600)\n")
    program = (
        "import sys, json\n"
        "from cognee_dagster.sources.cognee.child.process import ask_cognee\n"
        "from cognee_dagster.sources.cognee.config import LocalCogneeConfig\n"
        "environ, request = json.loads(sys.argv[1])\n"
        "list(ask_cognee('read_graph', request, config=LocalCogneeConfig(environ=environ), limit_seconds=600))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, json.dumps([dict(config.environ), REQUEST])])
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pids").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        os.kill(parent.pid, signal.SIGKILL)
        assert [wait_until_gone(pid) for pid in pids] == [True, True]
    finally:
        parent.kill()
        parent.wait()


def test_an_interpreter_without_cognee_is_told_apart_from_a_cognee_that_fails(
    stand_in: Callable[..., LocalCogneeConfig], tmp_path: Path
) -> None:
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    with (
        pytest.raises(CogneeNotInstalledError, match="bare-python"),
        open_through_cognee("notes", user=None, config=LocalCogneeConfig(environ={}, python=str(bare))),
    ):
        pytest.fail("nothing to open")
    with (
        pytest.raises(LocalCogneeError, match="no_such_dependency") as caught,
        open_through_cognee("notes", user=None, config=stand_in("import no_such_dependency")),
    ):
        pytest.fail("nothing to open")
    assert not isinstance(caught.value, CogneeNotInstalledError)


def test_an_interpreter_that_does_not_exist_is_named(tmp_path: Path) -> None:
    config = LocalCogneeConfig(environ={"COGNEE_PYTHON": str(tmp_path / "no-python")})
    with pytest.raises(CogneeNotInstalledError, match=r"no-python.*COGNEE_PYTHON"):
        list(ask_cognee("read_graph", REQUEST, config=config, limit_seconds=60))


def test_no_user_at_all_is_refused_before_a_child_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ask_cognee", lambda *_, **__: pytest.fail("a child was started"))
    with pytest.raises(DatasetPermissionError):
        add_documents("notes", [], user=" ", config=LocalCogneeConfig(environ={}))


def test_documents_go_to_the_local_cognee_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[LocalCogneeConfig] = []

    def ask(*_: object, config: LocalCogneeConfig, **__: object) -> Iterator[dict[str, Any]]:
        asked.append(config)
        yield {"event": "documents", "kinds": {str(tmp_path / "a.md"): "added"}, "cognified": True}

    monkeypatch.setattr("cognee_dagster.sources.cognee.documents.ask_cognee", ask)
    (tmp_path / "a.md").touch()
    config = LocalCogneeConfig(environ={"SYSTEM_ROOT_DIRECTORY": str(tmp_path)})
    assert add_documents("notes", [tmp_path / "a.md"], config=config).added == (tmp_path / "a.md",)
    assert asked == [config]


def test_a_document_is_known_by_its_path_and_content(tmp_path: Path) -> None:
    def row(name: str, content: bytes) -> SimpleNamespace:
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return SimpleNamespace(
            id=uuid4(), original_data_location=cognee_child.file_uri(str(tmp_path / name)), content_hash=digest
        )

    stored = cognee_child.StoredDocuments(uuid4(), [row("same.md", b"same"), row("edited.md", b"old")])
    contents = {"same.md": b"same", "edited.md": b"new", "moved.md": b"same", "fresh.md": b"fresh"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert {name: stored.kind_of(str(tmp_path / name)) for name in contents} == {
        "same.md": "unchanged",
        "edited.md": "changed",
        "moved.md": "unchanged",
        "fresh.md": "added",
    }


def test_missing_documents_are_named_before_a_child_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ask_cognee", lambda *_, **__: pytest.fail("a child was started"))
    with pytest.raises(LocalCogneeError, match=r"are no files: .*gone\.md"):
        add_documents("notes", [tmp_path / "gone.md"], config=LocalCogneeConfig(environ={}))
