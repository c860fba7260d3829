"""A graph that cannot be mirrored is pushed whole, as a full push is: with a record of what it has begun."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from upath import UPath

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.cogx.write.writer import write_archive
from cognee_dagster.errors import InvalidPushError, InvalidTargetError
from cognee_dagster.pushing.archives import push_archives
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.mirror.graph.records import NotMirrorableError
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.sources import open_graph
from cognee_dagster.testing import FakeRemote
from tests.archives_of_others import Records, pack
from tests.asset_chain import NO_RETRY, Chain, checks, metadata_of
from tests.cogx_graphs import ID_A
from tests.pushes import HASTY, Noting, client_of


def entity(external_id: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "entity", "external_system": "cognee", "external_id": external_id, "name": "Ann", **fields}


RAW = {"id": ID_A, "type": "Planet", "name": "Mars"}
FACT = {"kind": "fact", "external_system": "cognee", "external_id": "f", "subject_ref": ID_A, "predicate": "knows"}

# All that there are (``NotMirrorableError``); docs/mirrors.md names them.
REASONS: dict[str, tuple[str, Records]] = {
    "a node's id": ("'ann' has an id that is no UUID", {"entities.jsonl": [entity("ann")]}),
    "an edge's end": (
        "'Ann' has an id that is no UUID",
        {"nodes.jsonl": [RAW], "facts.jsonl": [{**FACT, "object_ref": "Ann"}]},
    ),
    "two records": ("has two different records", {"nodes.jsonl": [RAW], "entities.jsonl": [entity(ID_A)]}),
    "a type": ("names a type or aliases", {"entities.jsonl": [entity(ID_A, entity_type="Person")]}),
    "aliases": ("names a type or aliases", {"entities.jsonl": [entity(ID_A, aliases=["A."])]}),
}


def archive_of(records: Records, directory: Path) -> Archive:
    """A graph as a source of one: an archive that Cognee wrote."""
    with open_graph(pack(directory / "given.cogx.tar.gz", "cognee", records), dataset_name="demo") as graph:
        return write_archive(graph, directory / "graph.cogx.tar.gz")


def push(remote: FakeRemote, archive: Archive, directory: Path, *, record: Noting, **options: Any) -> Any:
    with client_of(remote.url, remote.api_key) as client:
        return push_mirror(
            [archive],
            client=client,
            base=UPath(directory / "mirrors"),
            options=PushOptions(**{"delivery": HASTY, **options}),
            record=record,
        )


@pytest.mark.parametrize("reason", REASONS)
def test_it_is_pushed_whole_and_the_log_says_why(
    remote: FakeRemote, tmp_path: Path, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    words, records = REASONS[reason]
    result = push(remote, archive_of(records, tmp_path), tmp_path, record=Noting())
    assert (result.status, len(remote.uploads)) == ("completed", 1)
    assert "cannot be mirrored" in caplog.text
    assert words in caplog.text


def test_what_an_earlier_try_has_begun_is_attached_to(remote: FakeRemote, tmp_path: Path) -> None:
    archive, record = archive_of(REASONS["aliases"][1], tmp_path), Noting()
    first = push(remote, archive, tmp_path, record=record)
    assert record.is_done
    (begun,) = record.runs.values()
    assert begun.run_id == first.pipeline_run_id
    again = push(remote, archive, tmp_path, record=Noting(record.runs))
    assert again.pipeline_run_id == first.pipeline_run_id
    assert len(remote.uploads) == 1


def test_it_waits_for_the_import_as_a_push_to_a_mirror_does(remote: FakeRemote, tmp_path: Path) -> None:
    archive = archive_of(REASONS["aliases"][1], tmp_path)
    native = replace(HASTY, background_strategy="native")
    result = push(remote, archive, tmp_path, record=Noting(), run_in_background=True, delivery=native)
    assert (result.status, result.known_by) == ("completed", KnownBy.ANSWER)


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    def refuse(*_: Any) -> None:
        raise NotMirrorableError("node 'ann' has an id that is no UUID")

    monkeypatch.setattr("cognee_dagster.pushing.mirror.mirror.read_fingerprints", refuse)
    return Chain(remote=remote, directory=tmp_path, options={"sync": "incremental", "retry_policy": NO_RETRY})


def test_the_next_run_attaches_to_the_import_of_one_that_was_killed(
    chain: Chain, remote: FakeRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*arguments: Any, **options: Any) -> None:
        push_archives(*arguments, **options)
        raise RuntimeError("The step died here.")

    with monkeypatch.context() as patch:
        patch.setattr("cognee_dagster.pushing.mirror.mirror.push_archives", dying)
        assert not chain.run().success
    result = chain.run("remote_push")
    assert result.success
    assert len(remote.uploads) == 1
    assert metadata_of(result, "remote_push")["pipeline_run_id"] == remote.runs[0]["pipeline_run_id"]
    assert checks(result)["remote_import_succeeded"].passed


def test_dagster_is_told_the_same_of_it_as_of_a_full_push(chain: Chain, remote: FakeRemote, tmp_path: Path) -> None:
    with FakeRemote() as other:
        full = replace(chain, remote=other, directory=tmp_path / "full", options={"retry_policy": NO_RETRY})
        full = replace(full, instance=dg.DagsterInstance.ephemeral())
        told = []
        for one in (chain, full):
            result = one.run()
            assert result.success
            observed = one.instance.fetch_observations(one.dataset.push_key, limit=9).records
            held = [path.name for path in (one.directory / "archives").glob("**/holds/push-*.json")]
            told.append(
                (
                    sorted(metadata_of(result, "remote_push")),
                    [sorted(record.asset_observation.metadata) for record in observed if record.asset_observation],
                    held,
                )
            )
    assert told[0] == told[1]
    assert len(told[0][1]) == 1


@pytest.mark.parametrize("on_removed", ["remove", "keep"])
def test_a_plan_says_that_all_would_be_pushed_and_why(remote: FakeRemote, tmp_path: Path, on_removed: Any) -> None:
    words, records = REASONS["aliases"]
    archive = archive_of(records, tmp_path)
    with client_of(remote.url, remote.api_key) as client:
        options = MirrorOptions(on_removed=on_removed)
        plan = plan_mirror([archive], client=client, base=UPath(tmp_path / "mirrors"), mirror=options).as_json()
    assert words in plan["cannot_be_mirrored_because"]
    assert (plan["nodes"], plan["archives"], plan["about_bytes"]) == ({"sent": 1}, 1, archive.size_bytes)
    assert (plan["in_sync"], plan["refusal"], remote.uploads) == (False, "", [])


def test_a_plan_of_what_would_not_be_sent_fails_as_the_push(remote: FakeRemote, tmp_path: Path) -> None:
    given: Any = {"base": UPath(tmp_path / "mirrors"), "mirror": MirrorOptions(on_removed="fail")}
    archive = archive_of(REASONS["aliases"][1], tmp_path)
    with client_of(remote.url, remote.api_key) as client:
        for what in (plan_mirror, push_mirror):
            with pytest.raises(InvalidPushError, match="names a type or aliases"):
                what([archive], client=client, **given)
    assert remote.uploads == []


def test_a_plan_of_a_push_into_somebody_elses_dataset_says_that_it_is_refused(
    remote: FakeRemote, tmp_path: Path
) -> None:
    owner = remote.add_user("owner@example.com")
    remote.state.ensure_dataset("demo", owner)
    remote.grant("demo", remote.admin, "read", owner=owner)
    with client_of(remote.url, remote.api_key) as client:
        archive = archive_of(REASONS["aliases"][1], tmp_path)
        plan = plan_mirror([archive], client=client, base=UPath(tmp_path / "mirrors"))
    assert isinstance(plan.refusal, InvalidTargetError)
    assert f"belongs to user {owner.id}" in plan.as_json()["refusal"]


def test_a_dry_run_says_that_it_would_be_a_full_push(chain: Chain, remote: FakeRemote) -> None:
    assert chain.run(config={"dry_run": True}).success
    (record,) = chain.instance.fetch_observations(chain.dataset.push_key, limit=9).records
    assert record.asset_observation is not None
    assert record.asset_observation.description == (
        "A full push: 3 nodes and 2 edges would be sent, nothing removed, since the graph cannot be mirrored: "
        "node 'ann' has an id that is no UUID"
    )
    assert remote.uploads == []
