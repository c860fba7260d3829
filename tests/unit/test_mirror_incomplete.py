"""A server that took less of an archive than was sent: the mirror does not say that it has all of it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cognee_dagster.dagster.steps.mirror import check_mirror
from cognee_dagster.pushing.delivery.deliver import deliver
from cognee_dagster.pushing.mirror.done import sending
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of
from tests.unit.mirror_world import Mirror


def answering(first: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, of: str) -> None:
    """The answer to the first archive with records of a kind says something else than it did."""
    answered: list[Any] = []

    def changed(client: Any, archive: Any, **options: Any) -> Any:
        result = deliver(client, archive, **options)
        if answered or not archive.record_counts.get(of):
            return result
        answered.append(archive)
        (item,) = result.response["items"]
        return dataclasses.replace(result, response={**result.response, "items": [{**item, **first}]})

    monkeypatch.setattr(sending, "deliver", changed)


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("fact", {"skipped_facts": 1}),
        ("raw_node", {"record_counts": {"raw_node": 0}}),
        ("document", {"record_counts": {"document": 0}}),
    ],
)
def test_what_was_not_taken_in_full_is_said_and_sent_once_more_alone(
    remote: FakeRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: str, says: dict[str, Any]
) -> None:
    mirror = Mirror(remote, tmp_path, ChangingGraph(1, nodes=24))
    answering(says, monkeypatch, of=of)
    first = mirror.push()
    with client_of(remote.url, remote.api_key) as client:
        found = check_mirror(client, [mirror.archive()], first, verify="counts")
        assert ["1 archive of the mirror not in full" in problem for problem in found.problems] == [True]
        before = len(remote.uploads)
        again = mirror.push()
        assert (again.status, len(remote.uploads) - before) == ("completed", 1)
        assert not check_mirror(client, [mirror.archive()], again, verify="counts").problems
    assert mirror.push().status == "unchanged"
    mirror.assert_exact()
