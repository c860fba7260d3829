"""``cognee-dagster runs``, ``datasets`` and ``doctor``: what is on the remote, and whether a push could work."""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.graph.reader import GraphOrigin
from cognee_dagster.remote.imports import listing
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import DATASETS, HEALTH, answer
from tests.cogx_graphs import MemoryReader, demo_reader
from tests.command_line import call, have_datasets
from tests.unit.test_cli import UNKNOWN_RUN

pytest_plugins = ["cognee_dagster.testing.plugin"]


@pytest.fixture(autouse=True)
def local_graphs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    have_datasets(monkeypatch, {"demo": demo_reader})
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def remote(fake_remote_environment: FakeRemote) -> FakeRemote:
    return fake_remote_environment


def listed(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == ExitCode.OK, result.stderr
    return json.loads(result.stdout)


def test_runs_says_to_the_millisecond_how_long_an_import_took(remote: FakeRemote) -> None:
    remote.add_run("team", state="COMPLETED")
    for row in remote.state.rows:
        row["started_at"] = "2026-01-01T00:00:00.000000"
        row["ended_at"] = row["ended_at"] and "2026-01-01T00:01:01.234560"
    assert [run["seconds"] for run in listed("runs")["runs"]] == [61.235]


def test_runs_lists_the_newest_imports_first_with_what_became_of_them(remote: FakeRemote) -> None:
    done = remote.add_run("team", state="COMPLETED")
    failed = remote.add_run("team", state="ERRORED")
    going = remote.add_run("other")
    assert [(run["pipeline_run_id"], run["dataset_name"], run["state"]) for run in listed("runs")["runs"]] == [
        (going, "other", "running"),
        (failed, "team", "failed"),
        (done, "team", "succeeded"),
    ]
    assert [run["pipeline_run_id"] for run in listed("runs", "--dataset", "team")["runs"]] == [failed, done]
    assert [run["pipeline_run_id"] for run in listed("runs", "--limit", "1")["runs"]] == [going]
    text = call("runs").stdout
    assert text.splitlines()[0].split() == ["run", "dataset", "state", "begun", "took"]
    assert failed in text
    assert "failed (RuntimeError)" in text


@pytest.mark.parametrize(
    ("llm_works", "state", "spelled"),
    [(True, "succeeded", "succeeded"), (False, "failed", "cognify failed (InternalServerError)")],
)
def test_an_import_is_not_listed_as_a_success_whose_cognify_run_failed(
    llm_works: bool, state: str, spelled: str, remote: FakeRemote
) -> None:
    remote.pace.llm_works = llm_works
    call("push", "demo", "--mode", "hybrid")
    (run,) = listed("runs")["runs"]
    assert (run["state"], run["cognified"]) == (state, True)
    assert ("language model" in run["reason"]) is not llm_works
    (dataset,) = listed("datasets")["datasets"]
    assert (dataset["last_import"]["state"], dataset["last_import"]["cognified"]) == (state, True)
    assert spelled in call("runs").stdout
    assert spelled in call("datasets").stdout


@pytest.mark.parametrize("what", ["another import in between", "an hour later", "another dataset", "only an add"])
def test_a_cognify_run_that_is_not_the_imports_says_nothing_of_it(what: str, remote: FakeRemote) -> None:
    run_id = remote.add_run("team", state="COMPLETED")
    if what == "another import in between":
        remote.add_run("team", state="COMPLETED")
    if what == "an hour later":
        remote.state.clock.skew += 3600
    remote.add_run("team", pipeline="add_pipeline", state="COMPLETED")
    if what != "only an add":
        remote.add_run("b" if what == "another dataset" else "team", pipeline="cognify_pipeline", state="ERRORED")
    states = {run["pipeline_run_id"]: (run["state"], run["cognified"]) for run in listed("runs")["runs"]}
    assert states[run_id] == ("succeeded", False)


def test_a_mistyped_run_is_not_advised_to_be_pushed_again(remote: FakeRemote) -> None:
    result = call("status", UNKNOWN_RUN)
    assert result.exit_code == ExitCode.NO_DATASET
    assert "push again" not in result.stdout
    assert "cognee-dagster runs" in result.stdout


def test_datasets_lists_owner_size_and_last_import(remote: FakeRemote) -> None:
    assert call("push", "demo").exit_code == ExitCode.OK
    colleague = remote.add_user("colleague@example.com")
    remote.state.ensure_dataset("shared", colleague)
    remote.grant("shared", remote.admin, "read", owner=colleague)
    by_name = {dataset["name"]: dataset for dataset in listed("datasets")["datasets"]}
    assert set(by_name) == {"demo", "shared"}
    mine = by_name["demo"]
    assert (mine["owned_by_you"], mine["num_nodes"], mine["num_edges"]) == (True, 3, 2)
    assert mine["last_import"]["state"] == "succeeded"
    theirs = by_name["shared"]
    assert (theirs["owned_by_you"], theirs["owner_id"], theirs["last_import"]) == (False, colleague.id, None)
    assert "admin@example.com (you)" in call("datasets").stdout
    assert listed("datasets", "--no-sizes")["datasets"][0]["num_nodes"] is None


def test_a_last_import_is_found_however_many_others_came_after_it(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MAX_PAGES", 1)
    old = remote.add_run("old", state="COMPLETED")
    for _ in range(260):  # a page and more
        remote.add_run("new", state="COMPLETED")
    remote.state.ensure_dataset("never", remote.admin)
    last = {dataset["name"]: dataset["last_import"] for dataset in listed("datasets", "--no-sizes")["datasets"]}
    assert last["old"]["pipeline_run_id"] == old
    assert last["never"] is None


def test_a_dataset_whose_graph_cannot_be_read_does_not_hide_the_others(remote: FakeRemote) -> None:
    call("push", "demo")
    remote.state.ensure_dataset("other", remote.admin)
    broken = remote.dataset("other").id
    remote.faults.always(f"{DATASETS}/{broken}/graph", answer(409, '{"error": "no"}'))
    sizes = {dataset["name"]: dataset["num_nodes"] for dataset in listed("datasets")["datasets"]}
    assert sizes == {"demo": 3, "other": None}


@pytest.mark.parametrize("why", ["the remote does not answer", "asking has taken 0 s"])
def test_datasets_asks_no_more_about_sizes_once_the_remote_does_not_answer_or_takes_too_long(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Each size of a remote that is down would be tried for 90 s, and a remote may list any number of datasets."""
    for name in ("a", "b", "c"):
        remote.state.ensure_dataset(name, remote.admin)
    if "asking" in why:
        monkeypatch.setattr(sys.modules["cognee_dagster.cli.datasets"], "_ASKED_WITHIN", 0.0)
    remote.faults.always(r"/api/v1/datasets/[^/]+/graph", answer(503, headers={"retry-after": "900"}))
    result = call("datasets")
    assert result.exit_code == ExitCode.OK
    assert why in result.stderr
    asked = [request for request in remote.requests if request.path.endswith("/graph")]
    assert len(asked) == ("asking" not in why)


def test_doctor_finds_all_that_a_push_needs(remote: FakeRemote) -> None:
    result = call("doctor", "demo", "--json")
    assert result.exit_code == ExitCode.OK, result.stdout
    told = json.loads(result.stdout)
    assert told["ok"]
    assert [check["name"] for check in told["checks"]] == [
        "settings", "remote", "server", "key", "local dataset", "archive store",
    ]  # fmt: skip
    assert "Cognee 1.6.5, takes COGX archives" in call("doctor", "demo").stdout
    assert remote.api_key not in call("doctor", "demo").stdout + result.stdout


def test_doctor_does_not_call_a_release_what_is_none(remote: FakeRemote) -> None:
    said = json.dumps({"status": "ready", "version": "0.1.0-local"})
    remote.faults.always("/health", answer(200, said))
    shown = call("doctor", "demo").stdout
    assert "Cognee of a release that is not known (it calls itself '0.1.0-local'), takes COGX archives" in shown


def test_doctor_does_not_pass_a_dataset_that_has_no_graph_to_push(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_datasets(monkeypatch, {"demo": lambda: MemoryReader([], origin=GraphOrigin(dataset_name="demo"))})
    result = call("doctor", "demo")
    assert result.exit_code != ExitCode.OK
    assert "FAILED  local dataset: " in result.stdout
    assert "has 0 nodes" in result.stdout


def test_doctor_names_the_file_and_line_of_a_setting(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cognee.env"
    file.write_text(f"# a comment\n\nCOGNEE_API_KEY={remote.api_key}\n\nDB_PROVIDER=sqlite\n", encoding="utf-8")
    monkeypatch.setenv("COGNEE_ENV_FILE", str(file))
    told = json.loads(call("doctor", "demo", "--json").stdout)
    by_name = {setting["name"]: setting for setting in told["settings"]}
    assert (by_name["COGNEE_API_KEY"]["file"], by_name["COGNEE_API_KEY"]["line"]) == (str(file), 3)
    assert (by_name["DB_PROVIDER"]["value"], by_name["DB_PROVIDER"]["line"]) == ("sqlite", 5)
    assert by_name["COGNEE_SERVICE_URL"]["source"] == "the environment"
    assert f"{file}, line 3" in call("doctor", "demo").stdout


@pytest.mark.parametrize(
    ("fault", "arguments", "failed", "code"),
    [
        (answer(401), ["demo"], "key", ExitCode.NO_CONNECTION),
        (None, ["nowhere"], "local dataset", ExitCode.NO_DATASET),
    ],
)
def test_doctor_ends_with_the_code_of_the_first_check_that_failed(
    remote: FakeRemote, fault: Any, arguments: list[str], failed: str, code: ExitCode
) -> None:
    if fault is not None:
        remote.faults.always(DATASETS, fault)
    result = call("doctor", *arguments, "--json")
    told = json.loads(result.stdout)
    assert [check["name"] for check in told["checks"] if not check["ok"]] == [failed]
    assert result.exit_code == code
    assert f"FAILED  {failed}:" in call("doctor", *arguments).stdout


def test_doctor_without_a_dataset_does_not_miss_the_default_one(remote: FakeRemote) -> None:
    result = call("doctor")
    assert result.exit_code == ExitCode.OK, result.stdout
    assert "name a DATASET to have it checked" in result.stdout
    assert call("doctor", "main_dataset").exit_code == ExitCode.NO_DATASET


def test_doctor_says_once_what_is_wrong_with_the_remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COGNEE_ENV_FILE", str(tmp_path / "empty.env"))
    (tmp_path / "empty.env").touch()
    monkeypatch.delenv("COGNEE_SERVICE_URL", raising=False)
    result = call("doctor", "demo")
    assert result.exit_code == ExitCode.NO_CONNECTION
    assert result.stdout.count("No Cognee Cloud connection configured") == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("-")] == [
        "-       server: not checked: see remote",
        "-       key: not checked: see remote",
    ]
    checks = json.loads(call("doctor", "demo", "--json").stdout)["checks"]
    assert [check["ok"] for check in checks] == [True, False, None, None, True, True]


def test_doctor_says_that_a_server_is_down(remote: FakeRemote) -> None:
    remote.faults.always(HEALTH, answer(503))
    assert call("doctor", "demo").exit_code == ExitCode.UNREACHABLE


def test_doctor_checks_the_archive_store_without_making_it(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path / "deep" / "er"))
    assert call("doctor", "demo").exit_code == ExitCode.OK
    assert not (tmp_path / "deep").exists()
    (tmp_path / "file").touch()
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path / "file"))
    assert "Archives cannot be kept" in call("doctor", "demo").stdout


def test_doctor_finds_a_disk_full_that_takes_no_more(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 10, before[1]))
    try:
        said = call("doctor", "demo").stdout
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"Archives cannot be kept in {tmp_path}: File too large in {tmp_path}. Make room there" in said


@pytest.mark.parametrize("command", [("doctor", "demo"), ("archives", "list")])
@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("~nosuchuser/x", "Archives cannot be kept in ~nosuchuser/x: "),
        ("zip://x::{}", "The archive store zip://x::{} cannot be opened: "),
        ("ftp://127.0.0.1:9/x", "The archive store ftp://127.0.0.1:9/x cannot be opened: ConnectionRefusedError: "),
    ],
)
def test_an_archive_store_that_cannot_be_opened_is_named(
    remote: FakeRemote,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    location: str,
    said: str,
) -> None:
    file = tmp_path / "no.zip"
    file.write_text("no zip")
    monkeypatch.setenv("COGNEE_DAGSTER_ARCHIVES", location.format(file))
    result = call(*command)
    assert result.exit_code == ExitCode.FAILED
    assert said.format(file) in result.stdout + result.stderr


def test_doctor_calls_a_setting_what_its_user_called_it(fake_remote_environment: FakeRemote) -> None:
    remote = fake_remote_environment
    said = call("doctor").stdout
    assert f"{remote.url} (from the environment variable COGNEE_SERVICE_URL)" in said
    assert "key *** (from the environment variable COGNEE_API_KEY)" in said
    said = call("doctor", "--url", remote.url, "--api-key", "ck_wrong").stdout
    assert f"{remote.url} (from the option --url), key *** (from the option --api-key)" in said
    assert "the key is from the option --api-key, the URL from the option --url" in said


def test_doctor_says_that_a_remote_without_accounts_needs_no_key(
    remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.faults.always("/api/v1/users/me", answer(401))
    assert "ok      key: none is needed: this Cognee has no accounts, and whoever asks" in call("doctor", "demo").stdout
    find = remote.state.user_of_key
    monkeypatch.setattr(remote.state, "user_of_key", lambda given: find(given) if given else remote.admin)
    told = json.loads(call("doctor", "demo", "--api-key", "ck_wrong", "--json").stdout)
    (key,) = [check for check in told["checks"] if check["name"] == "key"]
    assert (key["ok"], key["exit_code"]) == (False, ExitCode.NO_CONNECTION)
    assert key["found"] == (
        "No key is needed, since this Cognee has no accounts, and it does not accept the one that is sent, from the "
        "option --api-key. Leave it out there."
    )
