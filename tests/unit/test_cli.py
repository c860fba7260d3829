"""The command line: what goes to standard output, and which exit code an end has."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from cognee_dagster import errors
from cognee_dagster.cli import main
from cognee_dagster.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from cognee_dagster.graph.origin import GraphOrigin
from cognee_dagster.pushing.archives import PushResult
from cognee_dagster.remote import slow_answers
from cognee_dagster.sandbox.settings import no_language_model
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import answer
from tests.cogx_graphs import ID_B, ID_C, MemoryReader, demo_reader
from tests.command_line import call, have_datasets, have_no_settings

UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"

# A local Cognee of one dataset, in a process that can be interrupted.
PUSH_DEMO = """
from contextlib import contextmanager
from cognee_dagster.cli import main
from cognee_dagster.sources.cognee import datasets as cognee
from tests.cogx_graphs import demo_reader

@contextmanager
def open_dataset(dataset, **_):
    yield demo_reader()

cognee.open_dataset = open_dataset
main()
"""


@pytest.fixture(autouse=True)
def local_graphs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Three datasets, of which one is empty."""
    graphs = {
        "demo": demo_reader,
        "empty": lambda: MemoryReader([], origin=GraphOrigin(dataset_name="empty", embedding_model="m")),
        "textless": lambda: MemoryReader([(ID_B, "Ada", "Entity", "{}"), (ID_C, "person", "EntityType", "{}")]),
    }
    have_datasets(monkeypatch, graphs)
    have_no_settings(monkeypatch, tmp_path)


def run(*arguments: str | Path, remote: FakeRemote | None = None, key: str | None = None) -> Result:
    access = ["--url", remote.url, "--api-key", key or remote.api_key] if remote else []
    return call(*map(str, arguments), *access)


def object_on_stdout(result: Result) -> dict[str, Any]:
    """Standard output as one JSON object and nothing else."""
    parsed = json.loads(result.stdout)
    assert isinstance(parsed, dict)
    assert result.stdout.count("\n") == 1
    return parsed


def test_push_prints_exactly_the_fields_of_push_result(remote: FakeRemote) -> None:
    result = run("push", "demo", "--json", remote=remote)
    assert result.exit_code == ExitCode.OK, result.stderr
    pushed = object_on_stdout(result)
    assert list(pushed) == list(PushResult.__dataclass_fields__)
    assert (pushed["status"], pushed["num_nodes"], pushed["num_edges"]) == ("completed", 3, 2)
    assert len(remote.graph("demo").nodes) == 3


def test_status_follows_a_background_push_to_its_end(remote: FakeRemote) -> None:
    with remote.hold_imports():
        started = object_on_stdout(run("push", "demo", "--background", "--json", remote=remote))
        assert started["status"] == "started"
        running = run("status", started["pipeline_run_id"], "--dataset", "demo", "--json", remote=remote)
        assert (running.exit_code, object_on_stdout(running)["state"]) == (ExitCode.STILL_RUNNING, "running")
    ended = run("status", started["pipeline_run_id"], "--wait", "--json", remote=remote)
    assert (ended.exit_code, object_on_stdout(ended)["state"]) == (ExitCode.OK, "succeeded")


def test_push_in_the_background_can_wait_for_the_end(remote: FakeRemote) -> None:
    with remote.hold_imports() as held:
        threading.Timer(2.0, held.release).start()
        result = run("push", "demo", "--background", "--wait", "--json", remote=remote)
    assert (result.exit_code, object_on_stdout(result)["status"]) == (ExitCode.OK, "completed")


@pytest.mark.parametrize(
    ("error", "code"),
    [(errors.RemoteUnreachableError("No answer."), ExitCode.UNREACHABLE), (KeyboardInterrupt(), ExitCode.INTERRUPTED)],
    ids=["unreachable", "interrupted"],
)
def test_a_push_in_the_background_that_cannot_be_waited_for_says_what_it_has_begun(
    error: BaseException, code: ExitCode, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sys.modules["cognee_dagster.cli.push"], "ask_remote", fail)
    with remote.hold_imports():
        told = run("push", "demo", "--background", "--wait", "--json", remote=remote)
    begun = object_on_stdout(told)
    run_ids = {row["pipeline_run_id"] for row in remote.runs}
    assert (told.exit_code, begun["exit_code"], begun["error"]) == (code, code, type(error).__name__)
    assert (begun["target_dataset"], begun["status"]) == ("demo", "started")
    assert begun["pipeline_run_id"] in run_ids
    with remote.hold_imports():
        said = run("push", "demo", "--background", "--wait", "--progress", "json", remote=remote)
    *_, failed = map(json.loads, said.stderr.splitlines())
    assert (failed["event"], failed["status"]) == ("failed", "started")
    begun_words = "Pushed demo (3 nodes, 2 edges) to demo: started"
    assert said.stdout.splitlines() == [begun_words, f"pipeline_run_id: {failed['pipeline_run_id']}"]


@pytest.mark.parametrize(
    ("dataset", "llm_works", "code", "status"),
    [
        ("textless", False, ExitCode.OK, "completed"),
        ("demo", True, ExitCode.OK, "completed"),
        ("demo", False, ExitCode.IMPORT_FAILED, "failed"),
    ],
)
def test_a_hybrid_push_is_waited_for_until_its_cognify_run_ends_and_without_texts_until_its_import_does(
    dataset: str, llm_works: bool, code: ExitCode, status: str, remote: FakeRemote
) -> None:
    remote.pace.llm_works = llm_works
    result = run("push", dataset, "--mode", "hybrid", "--background", "--wait", "--json", remote=remote)
    assert (result.exit_code, object_on_stdout(result)["status"]) == (code, status)


def test_a_push_that_the_remote_cognifies_says_what_it_waits_for(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_answers, "FIRST_AFTER", 0.1)
    monkeypatch.setattr(slow_answers, "LONGEST_PAUSE", 0.1)
    remote.pace.llm_works, remote.pace.cognify_seconds = True, 4.0
    result = run("push", "demo", "--mode", "hybrid", remote=remote)
    assert result.exit_code == ExitCode.OK
    said = result.stderr.splitlines()
    work = "Waiting for the remote to import the graph into 'demo' and then to cognify 1 document, which its language "
    assert f"{work}model does" in said
    assert any(line.startswith(f"{work}model does (") and "are being cognified, since" in line for line in said)


@pytest.mark.parametrize(("mode", "warns"), [("hybrid", True), ("re-derive", True), ("preserve", False)])
def test_a_push_that_needs_a_language_model_is_warned_of_a_sandbox_that_has_none(
    mode: str, warns: bool, remote: FakeRemote
) -> None:
    remote.pace.llm_works = True
    settings = {"llm": {"apiKey": "not-a-secr**", **no_language_model(remote.url)}, "vectorDb": {}}
    settings["llm"]["endpoint"] = settings["llm"].pop("LLM_ENDPOINT")
    remote.faults.always("/api/v1/settings", answer(200, json.dumps(settings)))
    said = run("push", "demo", "--mode", mode, remote=remote).stderr
    assert ("is a sandbox without a language model" in said) is warns
    remote.faults.clear()
    assert "language model:" not in run("push", "demo", "--mode", mode, remote=remote).stderr


def test_an_interrupted_push_has_named_the_import_that_goes_on_without_it(tmp_path: Path, remote: FakeRemote) -> None:
    script = tmp_path / "push.py"
    script.write_text(PUSH_DEMO, encoding="utf-8")
    command = [sys.executable, str(script), "push", "demo", "--url", remote.url, "--api-key", remote.api_key]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (
        remote.hold_imports() as held,
        subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as pushing,
    ):
        held.wait_for_import(timeout=60)
        assert pushing.stderr is not None
        named = next(line for line in pushing.stderr if "as run" in line)
        pushing.send_signal(signal.SIGINT)
        said = pushing.stderr.read()
        assert pushing.wait(20) == ExitCode.INTERRUPTED
    assert remote.runs[0]["pipeline_run_id"] in named
    assert "Hung up" in said


def test_status_does_not_wait_for_an_import_that_the_remote_does_not_know(remote: FakeRemote) -> None:
    result = run("status", UNKNOWN_RUN, "--wait", "--json", remote=remote)
    assert (result.exit_code, object_on_stdout(result)["state"]) == (ExitCode.NO_DATASET, "unknown")


def test_export_writes_the_file_that_validate_accepts(tmp_path: Path) -> None:
    destination = tmp_path / "new" / "demo.cogx.tar.gz"
    exported = object_on_stdout(run("export", "demo", destination, "--json"))
    assert list(exported) == ["path", "num_nodes", "num_edges", "digest", "size_bytes"]
    assert exported["path"] == str(destination)
    assert exported["size_bytes"] == destination.stat().st_size
    validated = run("validate", destination, "--json")
    assert (validated.exit_code, object_on_stdout(validated)["valid"]) == (ExitCode.OK, True)


@pytest.mark.parametrize(
    ("name", "warns"),
    [("demo.zip", True), ("demo.json", True), ("demo", True), ("demo.cogx.tar.gz", False), ("DEMO.TGZ", False)],
)
def test_export_warns_of_a_name_that_says_something_else_than_what_it_writes(
    name: str, warns: bool, tmp_path: Path
) -> None:
    result = run("export", "demo", tmp_path / name)
    assert result.exit_code == ExitCode.OK
    assert (tmp_path / name).is_file()
    assert (f"Warning: {name} will be a gzipped tar archive" in result.stderr) is warns


def test_export_makes_the_directory_that_is_missing_and_says_so_but_not_for_a_dataset_that_is_not_there(
    tmp_path: Path,
) -> None:
    destination = tmp_path / "a" / "b" / "demo.cogx.tar.gz"
    assert run("export", "nowhere", destination).exit_code == ExitCode.NO_DATASET
    assert not (tmp_path / "a").exists()
    result = run("export", "demo", destination)
    assert result.exit_code == ExitCode.OK
    assert f"Made the directory {destination.parent}" in result.stderr


def test_wait_without_background_is_not_passed_over_in_silence(remote: FakeRemote) -> None:
    result = run("push", "demo", "--wait", remote=remote)
    assert result.exit_code == ExitCode.OK
    assert "--wait changes nothing here" in result.stderr
    assert "--wait" not in run("push", "demo", "--wait", "--background", remote=remote).stderr


def test_the_environments_key_is_not_sent_to_another_host_than_the_environments(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COGNEE_SERVICE_URL", "https://cognee.example.com")
    monkeypatch.setenv("COGNEE_API_KEY", remote.api_key)
    result = run("datasets", "--url", remote.url)
    assert result.exit_code == ExitCode.NO_CONNECTION
    assert (
        "No API key was sent: the key of the environment variable COGNEE_API_KEY goes with COGNEE_SERVICE_URL"
        in result.stderr
    )
    assert "--api-key" in result.stderr
    monkeypatch.delenv("COGNEE_SERVICE_URL")
    assert run("datasets", "--url", remote.url).exit_code == ExitCode.OK


def test_an_address_with_the_path_of_the_api_is_taken_for_its_servers(remote: FakeRemote) -> None:
    for path in ("/api/v1", "/api/v1/", "/"):
        assert run("datasets", "--url", remote.url + path, "--api-key", remote.api_key).exit_code == ExitCode.OK


def test_the_state_of_an_import_names_its_run_once(remote: FakeRemote) -> None:
    assert run("status", "abc", remote=remote).stdout.count("abc") == 1


def test_validate_says_what_is_wrong_and_ends_with_its_own_code(tmp_path: Path) -> None:
    archive = tmp_path / "broken.cogx.tar.gz"
    archive.write_bytes(b"no archive")
    result = run("validate", archive, "--json")
    assert result.exit_code == ExitCode.INVALID_ARCHIVE
    (problem,) = object_on_stdout(result)["problems"]
    assert problem["reason"]
    assert "not valid" in run("validate", archive).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["push", "nowhere"], ExitCode.NO_DATASET, "nowhere"),
        (["push", "empty"], ExitCode.INVALID_ARCHIVE, "Run cognee.cognify()"),
        (["push", "demo", "--mode", "bogus"], ExitCode.USAGE, "bogus"),
        (["push", "demo", "--target-dataset", "a b"], ExitCode.USAGE, "a b"),
        (["push", "--bogus"], ExitCode.USAGE, "--bogus"),
        (["status", UNKNOWN_RUN, "--dataset", "nowhere"], ExitCode.NO_DATASET, "nowhere"),
    ],
)
def test_a_failure_says_why_on_stderr_and_leaves_stdout_empty(
    remote: FakeRemote, arguments: list[str], code: ExitCode, message: str
) -> None:
    result = run(*arguments, remote=remote)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    as_json = run(*arguments, "--json", remote=remote)
    failure = object_on_stdout(as_json)
    assert list(failure) == ["error", "reason", "advice", "exit_code"]
    assert (as_json.exit_code, failure["exit_code"]) == (code, code)
    assert message in failure["reason"] + failure["advice"]
    assert failure["advice"]


def test_a_refused_key_has_the_code_of_no_connection_and_is_not_repeated(remote: FakeRemote) -> None:
    result = run("push", "demo", "--json", remote=remote, key="not-the-key")
    assert (result.exit_code, object_on_stdout(result)["error"]) == (ExitCode.NO_CONNECTION, "RemoteAuthError")
    assert "not-the-key" not in result.stderr + result.stdout


def test_without_a_remote_the_message_tells_how_to_name_one() -> None:
    result = run("push", "demo")
    assert result.exit_code == ExitCode.NO_CONNECTION
    assert "COGNEE_SERVICE_URL" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NoConnectionError(""), ExitCode.NO_CONNECTION),
        (errors.RemoteUnreachableError(""), ExitCode.UNREACHABLE),
        (errors.ImportFailedError(""), ExitCode.IMPORT_FAILED),
        (errors.ArchiveLimitError(""), ExitCode.INVALID_ARCHIVE),
        (errors.GraphFileError(""), ExitCode.INVALID_ARCHIVE),
        (errors.EmptyGraphError(""), ExitCode.INVALID_ARCHIVE),
        (errors.GraphFileNotFoundError(""), ExitCode.NO_DATASET),
        (errors.DatasetPermissionError(""), ExitCode.NO_DATASET),
        (errors.RemoteRejectedError(""), ExitCode.FAILED),
    ],
)
def test_an_error_has_the_exit_code_of_its_family(error: errors.CogneeDagsterError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def test_help_lists_every_exit_code() -> None:
    text = run("--help").stdout
    assert set(MEANINGS) == set(ExitCode)
    for code, meaning in MEANINGS.items():
        assert f"{code.value:>3}  {meaning}" in text


def test_help_warns_of_a_key_on_the_command_line() -> None:
    options = {
        name: option for name, command in main.commands.items() for option in command.params if option.name == "api_key"
    }
    assert options.keys() == {"datasets", "doctor", "plan", "probe", "push", "runs", "status", "verify"}
    for option in options.values():
        assert isinstance(option, click.Option)
        assert "list of processes" in (option.help or "")
        assert "COGNEE_API_KEY" in (option.help or "")


def test_the_command_line_does_not_pay_for_dagster() -> None:
    code = "import sys, cognee_dagster.cli, cognee_dagster.pushing; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_itself_is_the_command() -> None:
    command = [sys.executable, "-m", "cognee_dagster", "--version"]
    assert "cognee-dagster" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_rich_is_imported_for_a_terminal_only() -> None:
    """It takes as long to import as a small graph to export."""
    told = "import sys, cognee_dagster.cli; print('rich' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "False\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_bars_move_on_a_terminal(tmp_path: Path) -> None:
    import pty

    terminal, other_end = pty.openpty()
    script = tmp_path / "export.py"
    script.write_text(PUSH_DEMO, encoding="utf-8")
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    command = [sys.executable, str(script), "export", "demo", str(tmp_path / "demo.cogx.tar.gz")]
    ended = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=other_end, check=True, timeout=60)
    assert "3 nodes" in ended.stdout.decode()
    assert "export: edges" in os.read(terminal, 1 << 16).decode(errors="replace")
