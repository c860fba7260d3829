"""A chain over an archive that is there already: checked, stored and sent exactly as it is."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from upath import UPath

from cognee_dagster import CogneeDataset, build_definitions
from cognee_dagster.dagster.code_location import CodeLocationSettings
from cognee_dagster.dagster.steps.archive import archive_check_result
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.testing import FakeRemote
from tests.archives_of_others import SYSTEMS, pack, rename_over, unpack, write_into
from tests.asset_chain import NO_RETRY, Chain, checks, failure_of, materialized, metadata_of


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with FakeRemote() as remote:
        yield Chain(remote=remote, directory=tmp_path, options={"graph": None, "retry_policy": NO_RETRY})


def run(chain: Chain, archive: Any, *names: str) -> dg.ExecuteInProcessResult:
    chain.options["archive"] = archive
    return chain.run(*(names or ("cogx_archive", "remote_push")))


def sent(chain: Chain) -> list[str]:
    return [upload.sha256 for request in chain.remote.uploads for upload in request.uploads]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_remote_gets_the_very_bytes_and_the_archive_says_what_it_is(
    chain: Chain, tmp_path: Path, system: str
) -> None:
    path = pack(tmp_path / "given.tar.gz", system)
    result = run(chain, str(path))
    assert result.success
    assert sent(chain) == [sha256(path)]
    assert materialized(result) == ["cogx_archive", "remote_push", "remote_graph"]
    archive = metadata_of(result, "cogx_archive")
    assert (archive["cognee/source_system"], archive["cognee/archive_sha256"]) == (system, sha256(path))
    assert ("cognee/nodes_by_type" in archive) is (system == "cognee")
    assert archive["cognee/record_counts"] == metadata_of(result, "cogx_archive")["cognee/record_counts"]
    assert metadata_of(result, "remote_push")["target_dataset"] == "people"
    assert all(check.passed for check in checks(result).values())


@pytest.mark.parametrize("change", [rename_over, write_into])
def test_what_was_checked_is_what_is_stored_and_sent_whatever_becomes_of_the_file(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, bytes], None]
) -> None:
    path, other = pack(tmp_path / "given.tar.gz", "zep"), pack(tmp_path / "other.tar.gz", "mem0")
    checked = sha256(path)

    def meanwhile(*arguments: Any, **options: Any) -> dg.AssetCheckResult:
        change(path, other.read_bytes())
        return archive_check_result(*arguments, **options)

    monkeypatch.setattr("cognee_dagster.dagster.steps.given_archive.archive_check_result", meanwhile)
    result = run(chain, path)
    assert result.success
    assert (sent(chain), sha256(path)) == ([checked], sha256(other))
    assert metadata_of(result, "cogx_archive")["cognee/archive_sha256"] == checked


def test_the_chain_begins_with_the_archive_and_needs_no_local_cognee() -> None:
    dataset = CogneeDataset(name="given", archive="given.tar.gz")
    definitions = build_definitions([dataset, CogneeDataset(name="other", archive=Path("other.tar.gz"))])
    graph = definitions.resolve_asset_graph()
    assert {key.path[-1] for key in graph.get_all_asset_keys()} == {"cogx_archive", "remote_push", "remote_graph"}
    assert graph.get(dataset.archive_key).parent_keys == set()
    assert "given.tar.gz" in str(graph.get(dataset.archive_key).description)
    assert "local_cognee" not in graph.get(dataset.archive_key).assets_def.required_resource_keys
    job = definitions.get_repository_def().get_job("push_all_datasets")
    assert len(set(job.asset_layer.executable_asset_keys)) == 4


def test_one_content_in_two_files_is_sent_as_each_file_has_it(chain: Chain, tmp_path: Path) -> None:
    first = pack(tmp_path / "a.tar.gz", "zep")
    second = tmp_path / "b.tar.gz"
    second.write_bytes(gzip.compress(gzip.decompress(first.read_bytes()), 1, mtime=7))
    plain = tmp_path / "c.tar"
    plain.write_bytes(gzip.decompress(first.read_bytes()))
    paths = [first, second, plain, first]
    for path in paths:
        assert run(chain, path).success
    assert sent(chain) == [sha256(path) for path in paths]
    assert len(set(sent(chain))) == 3
    assert chain.run("remote_push", config={"archive": sha256(plain)[:12]}).success  # it is still there, too
    assert sent(chain)[-1] == sha256(plain)


def test_a_stored_file_of_the_same_content_but_other_bytes_is_damaged(chain: Chain, tmp_path: Path) -> None:
    assert run(chain, pack(tmp_path / "a.tar.gz", "zep"), "cogx_archive").success
    (blob,) = (tmp_path / "archives").rglob("*.tar")
    blob.write_bytes(gzip.decompress(blob.read_bytes()))
    assert "is damaged: its content is not what was stored" in failure_of(chain.run("remote_push"), "remote_push")[0]
    assert sent(chain) == []


@pytest.mark.parametrize("kind", ["directory", "url"])
def test_the_archive_may_be_a_directory_or_elsewhere(chain: Chain, tmp_path: Path, kind: str) -> None:
    if kind == "directory":
        place = str(unpack(tmp_path / "export", "graphiti"))
    else:
        UPath(place := "memory://given/archive.tar.gz").write_bytes(
            pack(tmp_path / "x.tar.gz", "graphiti").read_bytes()
        )
    assert run(chain, place).success
    assert {node.name for node in chain.remote.graph("people").nodes.values()} >= {"Ann Lee", "Turin", "Tea"}


def test_what_a_server_would_refuse_is_neither_stored_nor_sent(chain: Chain, tmp_path: Path) -> None:
    path = pack(tmp_path / "given.tar.gz", "mem0", {"memories.jsonl": [{"kind": "memory", "external_id": "m"}]})
    result = run(chain, path)
    reason, metadata = failure_of(result, "cogx_archive")
    assert (metadata["cognee/error"], "memories.jsonl, line 1: content" in reason) == ("ArchiveError", True)
    assert not (tmp_path / "archives").exists()
    assert chain.remote.requests == []


@pytest.mark.parametrize("system", ["cognee", "zep", "graphiti"])
def test_the_remote_graph_is_read_back_whichever_system_the_archive_is_of(
    chain: Chain, tmp_path: Path, system: str
) -> None:
    chain.options["verify"] = "graph"
    path = pack(tmp_path / "given.tar.gz", system)
    assert checks(run(chain, path))["remote_import_succeeded"].passed
    assert chain.check("remote_graph_complete").passed
    graph = chain.remote.graph("people")
    graph.edges.pop(next(edge for edge in graph.edges if edge[1] == "is_a"))
    assert "1 edge is missing on the remote" in str(chain.check("remote_graph_complete").description)


def test_a_given_archive_can_be_gone_back_to(chain: Chain, tmp_path: Path) -> None:
    first = pack(tmp_path / "a.tar.gz", "zep")
    digest = metadata_of(run(chain, first), "cogx_archive")["cognee/archive_digest"]
    assert run(chain, pack(tmp_path / "b.tar.gz", "cognee")).success
    assert chain.run("remote_push", config={"archive": digest}).success
    assert sent(chain)[-1] == sha256(first)


@pytest.mark.parametrize(
    ("field", "value"), [("graph", "g.graphml"), ("documents", ["*.md"]), ("user", "u@x.y"), ("profile", "apoc")]
)
def test_what_an_archive_has_no_use_for_is_refused(field: str, value: Any) -> None:
    with pytest.raises(DatasetDefinitionError, match=f"'x': {field}="):
        CogneeDataset(name="x", archive="a.tar.gz", **{field: value})


def test_an_archive_beyond_the_limits_is_not_sent_and_told_how_to_be_cut(chain: Chain, tmp_path: Path) -> None:
    chain.options["max_file_bytes"] = 100
    result = run(chain, pack(tmp_path / "given.tar.gz", "zep"))
    check = checks(result)["archive_within_server_limits"]
    assert (check.passed, "give it as graph= instead of archive=" in str(check.description)) == (False, True)
    assert sent(chain) == []


def test_a_setting_may_name_an_archive() -> None:
    settings = CodeLocationSettings.read({"COGNEE_DAGSTER_DATASETS": '[{"name": "x", "archive": "s3://b/a.tar.gz"}]'})
    assert settings.cognee_datasets() == [CogneeDataset(name="x", archive="s3://b/a.tar.gz")]
