"""How a command ends early: what is said, as JSON too, with which code, and what is left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from cognee_dagster.cli import main
from cognee_dagster.cli.ending import report
from cognee_dagster.cli.exit_codes import ADVICE, ExitCode
from cognee_dagster.cli.terminal import Bars, print_json, print_table, say
from cognee_dagster.cogx import Progress as ExportProgress
from cognee_dagster.environment import DEBUG_VARIABLE
from cognee_dagster.errors import (
    ArchiveError,
    CogneeDagsterError,
    DatasetPermissionError,
    LocalCogneeError,
    NoConnectionError,
)
from cognee_dagster.graph.counting import counted
from cognee_dagster.remote import slow_answers
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, delay_answer
from tests.command_line import call
from tests.unit.test_cli import PUSH_DEMO
from tests.unit.test_docs import commands_of

pytest_plugins = ["cognee_dagster.testing.plugin"]


def failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("cognee_dagster.cogx.validate_archive", fail)


@pytest.mark.parametrize(
    "error",
    [
        OverflowError("date value out of range"),
        UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"),
        RuntimeError("two\nlines"),
    ],
)
def test_no_exception_ends_in_a_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing_with(error, monkeypatch)
    (tmp_path / "x").touch()
    result = call("validate", str(tmp_path / "x"))
    assert (result.exit_code, result.stdout) == (ExitCode.FAILED, "")
    assert result.stderr.count("\n") == 1
    assert type(error).__name__ in result.stderr
    assert DEBUG_VARIABLE in result.stderr
    as_json = json.loads(call("validate", str(tmp_path / "x"), "--json").stdout)
    assert as_json["error"] == type(error).__name__


@pytest.mark.parametrize("how", ["option", "variable"])
def test_the_traceback_is_there_for_who_asks(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing_with(OverflowError("too large"), monkeypatch)
    (tmp_path / "x").touch()
    if how == "variable":
        monkeypatch.setenv(DEBUG_VARIABLE, "1")
    options = ["--debug"] if how == "option" else []
    assert "Traceback (most recent call last)" in call(*options, "validate", str(tmp_path / "x")).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "\udcff"],
        ["status", "x", "--dataset", "\udcff"],
        ["runs", "--dataset", "\udcff"],
        ["push", "\udcff"],
        ["push", "--user", "\udcff"],
        ["push", "--url", "\udcff"],
        ["push", "--api-key", "\udcff"],
        ["push", "--target-dataset", "\udcff"],
        ["export", "\udcff", "x"],
        ["doctor", "\udcff"],
    ],
)
def test_an_argument_that_is_not_utf_8_is_a_wrong_command_line(arguments: list[str]) -> None:
    result = call(*arguments, "--json")
    assert (result.exit_code, json.loads(result.stdout)["exit_code"]) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "not valid UTF-8" in json.loads(result.stdout)["reason"]
    result.stdout.encode()


def test_an_error_as_json_keeps_reason_and_advice_apart(capsys: pytest.CaptureFixture[str]) -> None:
    report(NoConnectionError("Nothing is configured. Set the URL. Or log in."), as_json=True, debug=False)
    assert json.loads(capsys.readouterr().out) == {
        "error": "NoConnectionError",
        "reason": "Nothing is configured.",
        "advice": "Set the URL. Or log in.",
        "exit_code": 3,
    }


@pytest.mark.parametrize("kind", [LocalCogneeError, DatasetPermissionError, ArchiveError])
def test_a_sentence_ends_with_one_full_stop(kind: type[CogneeDagsterError]) -> None:
    theirs = "no such table."
    assert str(kind(f"It cannot be read: {theirs}. Look in ../x, or in y/.. instead.")) == (
        "It cannot be read: no such table. Look in ../x, or in y/.. instead."
    )


def test_with_json_an_error_is_on_standard_output_alone(tmp_path: Path) -> None:
    for arguments in (["status", "\udcff"], ["runs", "--url", "ftp://x"], ["nonsense"]):
        plain, as_json = call(*arguments), call(*arguments, "--json")
        assert plain.stdout == ""
        assert "Error: " in plain.stderr
        assert as_json.stderr == ""
        assert json.loads(as_json.stdout)["reason"] in plain.stderr.replace("\n", " ")


def test_there_is_advice_for_each_exit_code_of_a_failure() -> None:
    assert set(ADVICE) == set(ExitCode) - {ExitCode.OK}


def test_a_wrong_command_line_is_json_too() -> None:
    for arguments in (["runs", "--limit", "0", "--json"], ["nonsense", "--json"]):
        result = call(*arguments)
        assert (result.exit_code, json.loads(result.stdout)["exit_code"]) == (ExitCode.USAGE, ExitCode.USAGE)


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, ExitCode.INTERRUPTED, "Interrupted."), (signal.SIGTERM, ExitCode.TERMINATED, "Terminated.")],
)
def test_sigterm_ends_a_push_like_ctrl_c_and_neither_leaves_a_temporary_directory(
    number: signal.Signals, code: ExitCode, word: str, tmp_path: Path
) -> None:
    script, temporary = tmp_path / "push.py", tmp_path / "tmp"
    script.write_text(PUSH_DEMO, encoding="utf-8")
    temporary.mkdir()
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TMPDIR": str(temporary),
        "HOME": str(tmp_path),
    }
    with FakeRemote() as remote, remote.hold_imports() as held:
        command = [sys.executable, str(script), "push", "demo", "--url", remote.url, "--api-key", remote.api_key]
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as pushing:
            held.wait_for_import(timeout=60)
            assert pushing.stderr is not None
            pushing.send_signal(number)
            said = pushing.stderr.read()
            assert pushing.wait(20) == code
        mine = [path.name for path in temporary.iterdir() if path.name.startswith("cognee-")]
    assert mine == []
    assert word in said
    assert "Hung up" in said


def interrupted(where: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, with a Ctrl-C that comes just ``where``."""
    code = (
        "import builtins, sys\n"
        "import cognee_dagster.__main__ as entry\n"
        "def interrupt(*_, **__): raise KeyboardInterrupt\n"
        f"{where}\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "entry.run()"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "where",
    [
        "sys.modules['cognee_dagster.cli'] = type('M', (), {'__getattr__': interrupt})()",
        "import cognee_dagster.cli as c; c._Commands.main = interrupt",
        "import cognee_dagster.cli as c; c._Commands.make_context = interrupt",
        "import cognee_dagster.cli as c; c._Commands.invoke = interrupt",
        "import cognee_dagster.cli as c; c.report = interrupt",
    ],
    ids=["loading", "beginning", "reading the command line", "before the command", "telling an error"],
)
def test_ctrl_c_has_one_ending_whenever_it_comes(where: str) -> None:
    said = interrupted(where, "validate", "none.cogx")
    assert (said.returncode, said.stdout, said.stderr.strip()) == (ExitCode.INTERRUPTED, "", "Interrupted.")
    as_json = interrupted(where, "validate", "none.cogx", "--json")
    assert (as_json.returncode, as_json.stderr.strip()) == (ExitCode.INTERRUPTED, "")
    assert json.loads(as_json.stdout) == {
        "error": "KeyboardInterrupt",
        "reason": "Interrupted.",
        "advice": ADVICE[ExitCode.INTERRUPTED],
        "exit_code": ExitCode.INTERRUPTED,
    }


def test_every_error_ends_in_advice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for error, said in (
        (LocalCogneeError("It is broken"), f"Error: It is broken. {ADVICE[ExitCode.FAILED]}"),
        (NoConnectionError("There is none. Set the URL."), "Error: There is none. Set the URL."),
        (PermissionError(13, "Permission denied", "/x"), f"Error: /x: Permission denied. {ADVICE[ExitCode.FAILED]}"),
    ):
        report(error, as_json=False, debug=False)
        assert capsys.readouterr().err.strip() == said


def test_nothing_that_others_named_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b]0;title\x07\x9b2J\x7f\udc80\u202eb"
    say(evil)
    print_table(("name",), [(evil + "\n",)])
    print_json({"name": evil})
    out = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in out)
    assert json.loads(out.splitlines()[-1])["name"] == evil


def test_what_the_terminal_cannot_encode_is_escaped() -> None:
    code = "from cognee_dagster.cli.terminal import say; say('Größe …')"
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.check_output([sys.executable, "-c", code], env=environ) == b"Gr\\xf6\\xdfe \\u2026\n"


def test_counts_have_the_right_form() -> None:
    assert [counted(number, "edge") for number in (0, 1, 2, 1234)] == ["0 edges", "1 edge", "2 edges", "1,234 edges"]


def test_the_clock_of_a_finished_bar_stops_and_the_wait_for_the_import_shows() -> None:
    from rich.progress import Progress

    now = 0.0
    progress = Progress(get_time=lambda: now, disable=True)
    bars = Bars(progress)
    bars.export(ExportProgress(phase="edges", done=5))
    now = 10.0
    bars.upload(10, 10)
    now = 60.0
    export, upload, wait = progress.tasks
    assert "the remote is at work" in wait.description
    assert (export.elapsed, upload.elapsed, wait.elapsed) == (10.0, 0.0, 50.0)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_who_waits_for_a_slow_server_is_told_so_but_no_script_is(
    options: tuple[str, ...], fake_remote_environment: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_answers, "FIRST_AFTER", 0.01)
    fake_remote_environment.faults.on(DATASETS, delay_answer(0.5))
    result = call("datasets", *options)
    assert result.exit_code == ExitCode.OK, result.stderr
    said = f"Still waiting for {fake_remote_environment.url} after 0 s of listing its datasets"
    assert (said in result.stderr) is not bool(options)


def test_the_reminders_of_a_slow_answer_become_rare(caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []

    def over(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 7

    with caplog.at_level("INFO", logger=slow_answers.LOGGER):
        slow_answers.remind("https://a.example.com", "listing its datasets", over)
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    said = [record.getMessage() for record in caplog.records]
    assert said[:2] == [
        f"Still waiting for https://a.example.com after {seconds} s of listing its datasets" for seconds in (10, 30)
    ]
    assert len(said) == 7


VALUED = [
    (name, parameter)
    for name, command in commands_of(main).items()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False)
]


@pytest.mark.parametrize(("command", "parameter"), VALUED, ids=lambda each: getattr(each, "name", each))
def test_an_empty_value_is_a_wrong_command_line_and_not_the_default(command: str, parameter: click.Parameter) -> None:
    """It is what a script gives whose variable is not set."""
    context = click.Context(commands_of(main)[command])
    empty = ("",) if parameter.multiple else ""
    with pytest.raises(click.UsageError):
        parameter.handle_parse_result(context, {str(parameter.name): empty}, [])


def test_a_prune_of_a_store_that_is_not_named_touches_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path))
    ended = call("archives", "prune", "--keep-last", "1", "--archives", "")
    assert (ended.exit_code, "Invalid value for '--archives': It is empty." in ended.stderr) == (ExitCode.USAGE, True)


def test_every_command_that_prints_json_has_the_option() -> None:
    without = {name for name, command in commands_of(main).items() if "as_json" not in {p.name for p in command.params}}
    assert without == {"sandbox"}
