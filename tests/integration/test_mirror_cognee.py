"""A mirror on real Cognee is after each round of edits what a fresh full push makes. ``make rounds`` does many."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import networkx as nx
from upath import UPath

from cognee_dagster import CogneeDataset, CogneeRemote, CogxArchiveIOManager, build_definitions
from cognee_dagster.pushing.mirror.mirror import push_mirror
from cognee_dagster.pushing.mirror.options import MirrorOptions
from cognee_dagster.pushing.options import PushOptions
from cognee_dagster.sandbox import CogneeServer
from tests.asset_chain import metadata_of, people
from tests.mirrored_graph import ChangingGraph
from tests.pushes import client_of
from tests.rounds.graph import WideGraph
from tests.rounds.rounds import Rounds

ROUNDS = 3


def test_after_each_round_of_edits_the_remote_is_what_a_fresh_push_makes_and_a_reader_misses_nothing(
    real_remote: CogneeServer, tmp_path: Path
) -> None:
    """Nodes, edges, documents and vectors. In the second round ``cognee.push()`` makes what it is held against; in the
    last one two pushes are under way at once."""
    graph, whole = WideGraph(7, nodes=30), []
    with client_of(real_remote.url, real_remote.api_key) as client:
        rounds = Rounds(real_remote, client, graph, tmp_path, segment_nodes=20, target=f"mirror_{uuid4().hex}")
        for number in range(ROUNDS):
            found = rounds.round(at_once=1 + (number == ROUNDS - 1), by_cognee=number == 1)
            assert found.wrong == []
            assert rounds.verified().is_exact
            whole.append(found.sent_whole_because)
            rounds.edit(6)
    assert whole == ["nothing is known yet of what this dataset has brought there", *[""] * (ROUNDS - 1)]


def test_three_tenants_are_three_mirrors(real_remote: CogneeServer, tmp_path: Path) -> None:
    """One chain with partitions: each has its own remote dataset, and a change of one costs the others nothing."""
    tenants = CogneeDataset(
        name="tenant_{partition}",
        graph=tmp_path / "{partition}.graphml",
        partitions_def=["acme", "beta", "cord"],
        sync="incremental",
        verify="graph",
    )
    defs = build_definitions(
        [tenants],
        remote=CogneeRemote(url=real_remote.url, api_key=real_remote.api_key),
        archives=CogxArchiveIOManager(base_directory=str(tmp_path / "archives")),
    )
    job = defs.resolve_job_def(tenants.job_name)

    def push(tenant: str, *, size: int) -> dict[str, Any]:
        nx.write_graphml(people(size=size), tmp_path / f"{tenant}.graphml")
        result = job.execute_in_process(instance=instance, partition_key=tenant)
        assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
        return metadata_of(result, "remote_push")

    with dg.DagsterInstance.ephemeral() as instance:
        first = [push(tenant, size=size)["status"] for tenant, size in (("acme", 8), ("beta", 9), ("cord", 10))]
        assert first == ["completed"] * 3
        assert (push("acme", size=7)["status"], push("beta", size=9)["status"]) == ("completed", "unchanged")
    with client_of(real_remote.url, real_remote.api_key) as client:
        datasets = {found.name: found.id for found in client.datasets()}  # those of other tests, too
        sizes = [len(client.graph(datasets[f"tenant_{tenant}"]).nodes) for tenant in ("acme", "beta", "cord")]
    assert sizes == [7, 9, 10]


def test_what_others_delete_is_noticed_and_what_a_push_deletes_itself_is_not_taken_for_theirs(
    real_remote: CogneeServer, tmp_path: Path
) -> None:
    graph = ChangingGraph(1, nodes=24)
    target = f"mirror_{uuid4().hex}"
    options = MirrorOptions(segment_nodes=30, max_removed=1)
    with client_of(real_remote.url, real_remote.api_key) as client:

        def push() -> tuple[str, str]:
            archive = graph.archive(tmp_path / "graph.cogx.tar.gz")
            result = push_mirror(
                [archive],
                client=client,
                base=UPath(tmp_path / "mirrors"),
                options=PushOptions(target_dataset=target),
                mirror=options,
            )
            assert client.graph(result.remote_response["dataset_id"]).node_ids() == graph.nodes.keys()
            return result.status, result.remote_response["mirror"]["sent_whole_because"]

        push()
        graph.remove_chunk()
        graph.remove_node()
        assert push() == ("completed", "")
        assert push() == ("unchanged", "")

        found = client.find_dataset(target)
        assert found is not None
        client.empty_dataset(found.id)
        status, because = push()
        assert (status, "(forget, operation " in because) == ("completed", True)

        document = next(iter(client.data(found.id)))
        client.delete_data(found.id, document.id)
        status, because = push()
        assert (status, "(delete, operation " in because) == ("completed", True)
        assert len(list(client.data(found.id))) == sum(row[2] == "DocumentChunk" for row in graph.nodes.values())
        assert push() == ("unchanged", "")
