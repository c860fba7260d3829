"""What ``plan`` says besides counts: the first records, what it would take, and how the remote stands."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from cognee_dagster.errors import InvalidTargetError
from cognee_dagster.pushing.mirror.mirror import plan_mirror, push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.mirror.plan.estimate import estimate
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.remote.responses import PipelineRun
from cognee_dagster.testing import FakeRemote
from tests.mirrored_graph import ChangingGraph
from tests.pushes import HASTY, client_of

MORNING = datetime(2026, 1, 31, 6, tzinfo=timezone.utc)


def rows(run_id: str, seconds: float, *, error_class: str | None = None) -> list[PipelineRun]:
    """A run's row for its end, and the one for its beginning: newest first."""
    end = MORNING + timedelta(seconds=seconds)
    return [
        PipelineRun(
            row_id=f"{run_id}-2",
            pipeline_run_id=run_id,
            outcome="failed" if error_class else "succeeded",
            error_class=error_class,
            created_at=end,
        ),
        PipelineRun(row_id=f"{run_id}-1", pipeline_run_id=run_id, created_at=MORNING),
    ]


def test_imports_of_several_sizes_tell_what_one_takes_and_what_a_node_takes() -> None:
    feed = [*rows("large", 21.0), *rows("small", 3.0), *rows("others", 500.0)]
    found = estimate(feed, {"large": 2_000, "small": 200}, [1_000, 1_000])
    assert found.seconds == pytest.approx(22.0)
    assert found.by_runs == 2


def test_one_import_tells_what_a_node_takes() -> None:
    assert estimate(rows("one", 20.0), {"one": 2_000}, [500]).seconds == pytest.approx(5.0)


@pytest.mark.parametrize("feed", [[], rows("others", 9.0), rows("ours", 9.0, error_class="Crash"), rows("ours", 9)[1:]])
def test_without_an_import_that_ended_well_nothing_is_known(feed: list[PipelineRun]) -> None:
    assert estimate(feed, {"ours": 100}, [10]).seconds is None


class Planned:
    """A mirror of a graph, and plans of what the next push would do."""

    def __init__(self, remote: FakeRemote, directory: Path) -> None:
        self.remote, self.directory = remote, directory
        self.graph = ChangingGraph(4, nodes=30)

    def push(self) -> None:
        with client_of(self.remote.url, self.remote.api_key) as client:
            push_mirror([self.archive()], client=client, **self.options)

    def plan(self) -> dict[str, Any]:
        with client_of(self.remote.url, self.remote.api_key) as client:
            return plan_mirror([self.archive()], client=client, **self.options).as_json()

    def archive(self) -> Any:
        return self.graph.archive(self.directory / "graph.cogx.tar.gz")

    @property
    def options(self) -> dict[str, Any]:
        return {
            "base": UPath(self.directory / "mirrors"),
            "options": PushOptions(delivery=HASTY),
            "mirror": MirrorOptions(segment_nodes=8, max_removed=1.0),
        }


@pytest.fixture
def planned(tmp_path: Path) -> Any:
    with FakeRemote() as remote:
        yield Planned(remote, tmp_path)


def test_before_the_first_push_there_is_no_dataset_and_no_time_is_known(planned: Planned) -> None:
    plan = planned.plan()
    assert (plan["remote"]["exists"], plan["remote"]["in_sync_since"], plan["server_seconds"]) == (False, None, None)
    assert plan["archives"] == plan["segments_sent"] + 1  # one of documents
    assert plan["about_bytes"] > planned.archive().size_bytes / 2


def test_where_a_push_is_refused_because_the_dataset_is_somebody_elses_the_plan_says_so(planned: Planned) -> None:
    owner = planned.remote.add_user("owner@example.com")
    name = planned.archive().dataset_name
    planned.remote.state.ensure_dataset(name, owner)
    planned.remote.grant(name, planned.remote.admin, "read", "write", owner=owner)
    with pytest.raises(InvalidTargetError) as refused:
        planned.push()
    plan = planned.plan()
    assert plan["refusal"] == str(refused.value)
    assert (plan["in_sync"], plan["remote"]["exists"]) == (False, False)


def test_a_mirror_in_sync_says_since_when_and_whose_it_is(planned: Planned) -> None:
    planned.push()
    plan = planned.plan()
    remote = plan["remote"]
    assert remote["in_sync_since"] == remote["confirmed_at"] is not None
    assert remote["owner"] == planned.remote.admin.email
    assert (plan["archives"], plan["about_bytes"], plan["server_seconds"]) == (0, 0, 0.0)
    assert plan["examples"]["nodes"] == {"added": [], "changed": [], "removed": []}


def test_the_first_records_of_each_kind_are_named(planned: Planned) -> None:
    planned.push()
    graph = planned.graph
    entity = next(node_id for node_id, row in graph.nodes.items() if row[2] == "Entity")
    graph.nodes[entity] = (entity, "Renamed", "Entity", "{}")
    chunk = next(node_id for node_id, row in graph.nodes.items() if row[2] == "DocumentChunk")
    graph.remove_chunk()
    added = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(7)]
    for number, node_id in enumerate(added):
        graph.nodes[node_id] = (node_id, f"New {number}", "Planet", "{}")
    graph.edges[added[0], entity, "knows"] = "They know each other."
    plan = planned.plan()
    nodes, documents = plan["examples"]["nodes"], plan["examples"]["documents"]
    assert len(nodes["added"]) == 5
    assert set(nodes["added"]) <= {f"{node_id} New {number}" for number, node_id in enumerate(added)}
    assert nodes["changed"] == [f"{entity} Renamed"]
    assert nodes["removed"] == [chunk]
    assert plan["examples"]["edges"]["added"] == [f"{added[0]} knows {entity} (New 0 knows Renamed)"]
    assert documents == {"added": [], "changed": [], "removed": [chunk]}
    assert plan["remote"]["in_sync_since"] is None
    assert plan["remote"]["confirmed_at"] is not None


def test_a_document_is_named_by_what_its_text_is_from(planned: Planned) -> None:
    graph, document = planned.graph, "00000000-0000-4000-8000-000000000001"
    chunk, *others = [node_id for node_id, row in graph.nodes.items() if row[2] == "DocumentChunk"]
    graph.nodes[document] = (document, "handbook", "TextDocument", "{}")
    graph.edges[chunk, document, "is_part_of"] = "It is a part of it."
    named = planned.plan()["examples"]["documents"]["added"]
    assert named
    assert set(named) <= {f"{chunk} handbook", *others}
    assert f"{chunk} handbook" in named


def test_the_time_is_judged_by_the_mirrors_own_imports(planned: Planned) -> None:
    planned.remote.pace.seconds_per_node = 0.005
    planned.push()
    planned.graph.change_node()
    plan = planned.plan()
    assert plan["server_seconds_by_runs"] == plan["segments"]
    assert plan["server_seconds"] is not None
