"""``cognee-dagster push --progress``: what a program can read of a push while it is under way."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.progress_lines import ProgressLines
from cognee_dagster.cogx.write.writer import Progress
from cognee_dagster.testing import FakeRemote
from tests.cogx_graphs import demo_reader
from tests.command_line import call, have_datasets, have_no_settings


@pytest.fixture(autouse=True)
def local_graph(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    have_datasets(monkeypatch, {"demo": demo_reader})
    have_no_settings(monkeypatch, tmp_path)


def pushed(remote: FakeRemote, *options: str, api_key: str = "") -> tuple[int, str, str]:
    key = api_key or remote.api_key
    result = call("push", "demo", "--url", remote.url, "--api-key", key, "--target-dataset", "friends", *options)
    return result.exit_code, result.stdout, result.stderr


def events(stderr: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.splitlines()]


def test_each_line_is_an_object_and_they_come_in_the_order_of_a_push(remote: FakeRemote) -> None:
    code, stdout, stderr = pushed(remote, "--progress", "json", "--json")
    assert code == ExitCode.OK, stderr
    lines, result = events(stderr), json.loads(stdout)
    steps = [line for line in lines if line["event"] != "message"]
    order = ["export", "push", "upload", "waiting", "imported", "pushed"]
    assert [event for event, _ in groupby(line["event"] for line in steps)] == order
    found = {line["event"]: line for line in steps}
    assert found["upload"]["bytes"] == found["upload"]["total_bytes"] > 0
    assert found["push"]["remote"] == remote.url
    for line in (found["imported"], found["pushed"]):
        assert (line["status"], line["pipeline_run_id"]) == ("completed", result["pipeline_run_id"])
    for line in (found["push"], found["pushed"]):
        assert (line["num_nodes"], line["num_edges"]) == (result["num_nodes"], result["num_edges"])
    for line in lines[lines.index(found["push"]) :]:
        assert (line["dataset"], line["target_dataset"]) == ("demo", "friends")
    assert all(line["seconds"] >= 0 for line in lines)
    assert remote.api_key not in stderr


def test_an_import_that_goes_on_is_not_called_imported(remote: FakeRemote) -> None:
    with remote.hold_imports():
        code, stdout, stderr = pushed(remote, "--progress", "json", "--background")
    assert code == ExitCode.OK, stderr
    assert stdout.startswith("Pushed demo")
    told = {line["event"]: line for line in events(stderr)}
    assert "imported" not in told
    assert told["importing"]["status"] == told["pushed"]["status"] == "started"
    assert told["importing"]["pipeline_run_id"]


def test_that_it_waits_is_no_warning_and_an_option_that_changes_nothing_is_one(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = ProgressLines.tell

    def tell_and_release(lines: ProgressLines, event: str, **fields: Any) -> None:
        tell(lines, event, **fields)
        if str(fields.get("text")).startswith("Waiting for the import"):
            held.release()

    monkeypatch.setattr(ProgressLines, "tell", tell_and_release)
    with remote.hold_imports() as held:
        _, _, waited = pushed(remote, "--progress", "json", "--background", "--wait")
    _, _, hinted = pushed(remote, "--progress", "json", "--wait")
    levels = {line["text"]: line["level"] for line in events(waited + hinted) if line["event"] == "message"}
    assert levels["Waiting for the import …"] == "info"
    assert [text for text, level in levels.items() if level != "info"] == [
        "--wait changes nothing here: without --background a push waits for the end of the import."
    ]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_failure_is_the_last_line_and_never_has_the_key(remote: FakeRemote, options: tuple[str, ...]) -> None:
    code, stdout, stderr = pushed(remote, "--progress", "json", *options, api_key="not-the-key")
    assert code == ExitCode.NO_CONNECTION
    last = events(stderr)[-1]
    assert (last["event"], last["exit_code"]) == ("failed", code)
    assert last["reason"]
    assert last["error"] == "RemoteAuthError"
    assert bool(stdout) is bool(options)
    assert "not-the-key" not in stderr


def test_hints_and_wrong_values_are_events_too(remote: FakeRemote) -> None:
    _, _, stderr = pushed(remote, "--progress", "json", "--wait")
    assert any("--wait changes nothing here" in line.get("text", "") for line in events(stderr))
    code, _, stderr = pushed(remote, "--progress", "json", "--max-file-bytes", "many")
    assert code == ExitCode.USAGE
    assert events(stderr)[-1]["event"] == "failed"


def test_a_mirror_that_is_in_sync_sends_nothing_and_still_ends_with_pushed(remote: FakeRemote) -> None:
    for expected in ("completed", "unchanged"):
        code, _, stderr = pushed(remote, "--progress", "json", "--sync", "incremental")
        assert code == ExitCode.OK, stderr
        last = events(stderr)[-1]
        assert (last["event"], last["status"]) == ("pushed", expected)
    assert "upload" not in {line["event"] for line in events(stderr)}


def test_with_none_only_warnings_are_said(remote: FakeRemote) -> None:
    assert pushed(remote)[2] != ""
    code, stdout, stderr = pushed(remote, "--progress", "none")
    assert (code, stderr) == (ExitCode.OK, "")
    assert stdout.startswith("Pushed demo")
    assert "--wait changes nothing here" in pushed(remote, "--progress", "none", "--wait")[2]


def test_at_most_a_line_a_second_and_the_last_state_of_each_thing_before_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    lines = ProgressLines(clock=lambda: now)
    for done in range(100):
        lines.export(Progress(phase="nodes", done=done))
        now += 0.03125
    lines.export(Progress(phase="packing", done=0, total=7))
    told = [(line["phase"], line["done"]) for line in events(capsys.readouterr().err)]
    assert told == [("nodes", 0), ("nodes", 32), ("nodes", 64), ("nodes", 96), ("nodes", 99), ("packing", 0)]


def test_a_reader_that_has_gone_away_ends_the_lines_and_not_the_push(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("cognee_dagster.cli.progress_lines.click.echo", gone)
    lines = ProgressLines()
    lines.upload(1, 2)
    lines.tell("pushed")
