"""What somebody meets who begins: paths that lead nowhere, and what the commands say of themselves."""

from pathlib import Path

import pytest

from cognee_dagster.cli.exit_codes import ExitCode
from tests.command_line import call, have_no_settings


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
