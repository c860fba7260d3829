"""What somebody meets who begins: paths that lead nowhere, and what the commands say of themselves."""

import json
from pathlib import Path

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from tests.command_line import call, have_datasets, have_no_settings


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command in ("push", "plan", "verify", "inspect", "export") for name in ("none.json", "none/")]
    + [(command, "none.cogx.tar.gz") for command in ("push", "verify", "inspect", "export")],
)
def test_a_path_that_leads_nowhere_is_told_with_the_code_of_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    have_no_settings(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    remote = ("--url", "http://127.0.0.1:9") if command in {"push", "plan", "verify"} else ()
    result = call(command, f"./{name}", *(("out.cogx.tar.gz",) if command == "export" else ()), *remote)
    assert result.exit_code == ExitCode.NO_DATASET, result.stderr
    assert f"(looked in {tmp_path}). Correct the path." in result.stderr
    assert not (tmp_path / "out.cogx.tar.gz").exists()


def test_an_archive_that_is_not_there_cannot_be_judged(tmp_path: Path) -> None:
    result = call("validate", str(tmp_path / "none.cogx.tar.gz"))
    assert result.exit_code == ExitCode.NO_DATASET
    assert f"There is no archive {tmp_path / 'none.cogx.tar.gz'}. Correct the path." in result.stderr


@pytest.mark.parametrize("group", [(), ("archives",)], ids=["commands", "archives"])
def test_no_command_is_summed_up_in_half_a_sentence(group: tuple[str, ...]) -> None:
    _, _, commands = call(*group, "--help").stdout.partition("Commands:\n")
    summaries = commands.partition("\n\n")[0].splitlines()
    assert len(summaries) >= 2
    assert [line for line in summaries if not line.endswith(".") or line.endswith("...")] == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a graph, tables and a file of no kind; without a local Cognee."""
    have_no_settings(monkeypatch, tmp_path)
    for variable in ("SYSTEM_ROOT_DIRECTORY", "DATA_ROOT_DIRECTORY"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "nodes.csv").write_text("id\na\n")
    (tmp_path / "tables" / "edges.csv").write_text("source,target\na,a\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "birds.json").write_text('{"nodes": [{"id": "a"}], "links": []}')
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["push", "plan", "verify", "inspect", "export"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("birds.jsn", ("There is no file or folder birds.jsn", "no local Cognee that", "Did you mean birds.json?")),
        ("fish.grapml", ("There is no file or folder fish.grapml", "Correct the path.")),
        ("here/fish", ("There is no file or folder here/fish", "Correct the path.")),
        ("birds", ("'birds' was taken for the name of a local dataset", "Did you mean birds.json?", "doctor")),
        ("tabels", ("'tabels' was taken for the name of a local dataset", "Did you mean ./tables?")),
        ("tables", ("'tables' was taken for the name", "The folder of that name is ./tables: write it so.")),
        ("notes.txt", ("'notes.txt' was taken for the name", "The file of that name is ./notes.txt: write it so.")),
        ("fish", ("'fish' was taken for the name", "is given by its path.", "There is no Cognee store")),
        ("empty/", ("holds no graph of a known kind. Name a folder with nodes.csv and edges.csv",)),
    ],
)
def test_a_mistyped_path_is_told_what_it_was_taken_for(
    folder: Path, command: str, text: str, says: tuple[str, ...]
) -> None:
    remote = ("--url", "http://127.0.0.1:9") if command in {"push", "plan", "verify"} else ()
    result = call(command, text, *(("out.cogx.tar.gz",) if command == "export" else ()), *remote)
    assert result.exit_code == ExitCode.NO_DATASET, result.stderr
    assert [part for part in says if part not in result.stderr] == []


def test_a_mistyped_path_is_told_as_json_too_and_to_who_says_what_its_attributes_mean(folder: Path) -> None:
    result = call("inspect", "birds.jsn", "--mapping", "name=x", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["error"], told["exit_code"]) == (4, "GraphFileNotFoundError", 4)
    assert told["advice"] == "Did you mean birds.json?"


def test_where_there_is_a_local_cognee_its_datasets_are_named_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_datasets(monkeypatch, {})
    result = call("inspect", "birds")
    assert result.exit_code == ExitCode.NO_DATASET
    assert "there is none. Did you mean birds.json? There is no dataset 'birds'." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(("push", "--name", "x"), ""), (("push", "--targt", "x"), "--target-dataset"), (("prob",), "")],
)
def test_an_option_that_is_far_off_is_not_offered(arguments: tuple[str, ...], hint: str) -> None:
    result = call(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert hint in result.stderr
    assert "--mode" not in result.stderr
    assert "--wait" not in result.stderr
