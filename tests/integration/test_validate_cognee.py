"""``validate_archive`` and a real Cognee say the same of hundreds of archives that are wrong in one thing or two.

Most go through Cognee's own import in a child process, which is what its server calls for an upload; every eighth goes
through a server, too. Measured on two busy processors: 320 archives take five minutes in the child process,
and 40 take 100 s through the server, which would be a quarter of an hour for all of them.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cognee_dagster.cogx.read.validate import ValidationReport, validate_archive
from cognee_dagster.sandbox import CogneeServer, local_environment
from tests.integration.mutated_archives import Mutated, mutated

ARCHIVES = 320
THROUGH_A_SERVER = 40
CHILD = Path(__file__).with_name("importing_child.py")


@dataclass(frozen=True)
class Judged:
    """An archive, and what was said of it."""

    archive: Mutated
    report: ValidationReport
    imported: dict[str, Any]

    @property
    def is_taken(self) -> bool:
        return self.imported["error"] is None

    def __str__(self) -> str:
        said = [str(problem) for problem in (*self.report.problems, *self.report.warnings)][:1]
        error = str(self.imported["error"] or "").splitlines()[:1]
        return f"{self.archive.name}: {self.archive.description}: we say {self.report.verdict} {said}, Cognee {error}"


@pytest.fixture(scope="module")
def judged(real_cognee: None, tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    """All archives, judged by us and imported by Cognee."""
    directory = tmp_path_factory.mktemp("judged")
    archives = {archive.name: archive for archive in mutated(ARCHIVES)}
    for name, archive in archives.items():
        (directory / f"{name}.archive").write_bytes(archive.content)
    child = subprocess.run(
        [sys.executable, str(CHILD), str(directory)],
        env=local_environment(directory / "store"),
        cwd=directory,
        check=True,
        capture_output=True,
        text=True,
        timeout=1_200,
    )
    outcomes = [json.loads(line) for line in child.stdout.splitlines() if line.startswith('{"name"')]
    return [
        Judged(archives[outcome["name"]], validate_archive(directory / f"{outcome['name']}.archive"), outcome)
        for outcome in outcomes
    ]


@pytest.mark.timeout(1_500)
def test_both_refuse_and_take_the_same_archives(judged: list[Judged]) -> None:
    assert len(judged) == ARCHIVES
    assert [str(one) for one in judged if one.report.valid != one.is_taken] == []


@pytest.mark.timeout(1_500)
def test_what_is_said_to_be_taken_as_it_is_arrives_whole(judged: list[Judged]) -> None:
    for one in judged:
        if one.report.verdict == "taken":
            found = one.imported
            assert (found["skipped_facts"], found["deduped_edges"]) == (0, 0), str(one)
            assert found["graph_edges"] == one.report.record_counts.get("fact", 0), str(one)
            assert found["record_counts"] == one.report.record_counts, str(one)


@pytest.mark.timeout(1_500)
def test_the_archives_are_of_every_sort(judged: list[Judged]) -> None:
    """Or else all of this could be true of nothing."""
    verdicts = Counter(one.report.verdict for one in judged)
    assert min(verdicts["taken"], verdicts["refused"]) > ARCHIVES / 5
    assert verdicts["changed"] > ARCHIVES / 20
    assert len({one.archive.description for one in judged}) > ARCHIVES / 2


@pytest.fixture(scope="module")
def http(real_remote: CogneeServer) -> Iterator[httpx.Client]:
    headers = {"X-Api-Key": real_remote.api_key}
    with httpx.Client(base_url=real_remote.url, headers=headers, timeout=120, trust_env=False) as client:
        yield client


@pytest.mark.timeout(1_500)
def test_a_server_says_the_same(http: httpx.Client, tmp_path: Path) -> None:
    differences = []
    for archive in list(mutated(ARCHIVES))[:: ARCHIVES // THROUGH_A_SERVER]:
        path = tmp_path / archive.name
        path.write_bytes(archive.content)
        report = validate_archive(path)
        answer = http.post(
            "/api/v1/remember",
            data={"datasetName": "judged", "content_type": "cogx-archive", "import_mode": "preserve"},
            files={"data": ("x.cogx.tar.gz", archive.content, "application/gzip")},
        )
        if report.valid != (answer.status_code == 200):
            differences.append(f"{archive.name}: {archive.description}: {report.verdict}, {answer.status_code}")
    assert differences == []
