"""Standard output that cannot be written: what a command has done is said all the same, on standard error."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognee_dagster.__main__ import run
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.standard_output import StandardOutput
from cognee_dagster.testing import FakeRemote

pytest_plugins = ["cognee_dagster.testing.plugin"]

LOST = "Error: Standard output cannot be written: "
PUSH = ("push", "./g.json", "--target-dataset", "team")


class Ended:
    """How a command ended in a shell."""

    def __init__(self, directory: Path, *arguments: str, streams: str) -> None:
        (directory / "g.json").write_text('{"nodes": [{"id": "a"}, {"id": "b"}], "edges": []}', encoding="utf-8")
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(directory)}
        shell = f'"$@" {streams}'
        command = ["sh", "-c", shell, "sh", sys.executable, "-m", "cognee_dagster", *arguments]
        ended = subprocess.run(
            command, env=environ, cwd=directory, stderr=subprocess.PIPE, text=True, timeout=120, check=False
        )
        self.code, self.error = ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("streams", "options"),
    [(">/dev/full", ()), (">/dev/full", ("--json",)), (">&-", ("--json",)), (">/dev/full", ("--progress", "json"))],
    ids=str,
)
def test_a_push_that_is_done_says_so_first_where_standard_output_cannot_be_written(
    fake_remote_environment: FakeRemote, tmp_path: Path, streams: str, options: tuple[str, ...]
) -> None:
    ended = Ended(tmp_path, *PUSH, *options, streams=streams)
    run = fake_remote_environment.state.rows[-1]["pipeline_run_id"]
    said = ended.error
    if "--progress" in options:  # what is not JSON would end whoever reads it
        said = "\n".join(json.loads(line).get("text", "") for line in ended.error.splitlines())
    assert ended.code == ExitCode.NO_OUTPUT
    verdict, _, rest = said.partition(LOST)
    assert all(part in verdict for part in ("completed", "team", run)), said
    assert ("No space left on device" if streams == ">/dev/full" else "it is closed") in rest
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [("--help",), ("validate", "x", "--json")], ids=" ".join)
@pytest.mark.parametrize("streams", [">/dev/full", ">&-"])
def test_no_command_ends_in_a_traceback_where_standard_output_cannot_be_written(
    tmp_path: Path, arguments: tuple[str, ...], streams: str
) -> None:
    ended = Ended(tmp_path, *arguments, streams=streams)
    assert ended.code == (ExitCode.NO_DATASET if "validate" in arguments else ExitCode.NO_OUTPUT)
    assert ("There is no archive" if "validate" in arguments else "cognee-dagster") in ended.error
    assert ended.error.count(LOST) == 1
    assert "Traceback" not in ended.error


@pytest.mark.parametrize("streams", [">/dev/full 2>/dev/full", ">&- 2>&-"])
def test_the_exit_code_says_it_where_nothing_can_be_written(
    fake_remote_environment: FakeRemote, tmp_path: Path, streams: str
) -> None:
    assert Ended(tmp_path, *PUSH, streams=streams).code == ExitCode.NO_OUTPUT
    assert fake_remote_environment.state.rows


class Reader(io.StringIO):
    """A pipe whose reader goes away after some lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.lines = lines

    def write(self, text: str) -> int:
        if self.lines == 0:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.lines -= 1
        return super().write(text)


def test_a_reader_that_has_seen_enough_is_no_failure_and_one_that_saw_nothing_is() -> None:
    told: list[str] = []
    output = StandardOutput(Reader(1), instead=told.append)
    output.write("first\n")
    with pytest.raises(BrokenPipeError):
        output.write("second\n")
    assert (told, output.failure) == ([], None)
    output = StandardOutput(Reader(0), instead=told.append)
    output.write("first\n")
    output.write("second\n")
    output.tell_failure()
    output.tell_failure()
    assert told == ["first", "second", LOST + "Broken pipe. What belongs there is on standard error."]


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="has no such device")
def test_standard_output_is_no_file_to_write_an_archive_to(tmp_path: Path) -> None:
    ended = Ended(tmp_path, "export", "./g.json", "/dev/stdout", streams="| cat")
    assert "Error: /dev/stdout is a named pipe, and stays what it is. Name a file to write." in ended.error


def test_ctrl_c_before_the_commands_are_loaded_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def __getattr__(self, _: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "cognee_dagster.cli", Interrupted())
    with pytest.raises(SystemExit) as ended:
        run()
    assert (ended.value.code, capsys.readouterr().err) == (ExitCode.INTERRUPTED, "Interrupted.\n")
