"""An asset below ``cogx_archive`` gets what its parameter is annotated as: the archives, or the graph in them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import networkx as nx
import pytest

from cognee_dagster import StoredArchive
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, people

SIZE = 120
SEVERAL = {"max_file_bytes": 8_000, "max_archive_bytes": 20_000}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """With the archives of an earlier run."""
    with FakeRemote() as remote:
        options: dict[str, Any] = {"retry_policy": NO_RETRY, **SEVERAL}
        chain = Chain(
            remote=remote, directory=tmp_path_factory.mktemp("chain"), graph=people(size=SIZE), options=options
        )
        chain.graph.add_edge("p0", "p1", key="likes")
        assert chain.run().success
        yield chain


def run(chain: Chain, asset: dg.AssetsDefinition) -> Any:
    """What the asset returns."""
    io_manager = dg.FilesystemIOManager(base_dir=str(chain.directory / "below"))
    result = dg.materialize(
        [*chain.assets, asset],
        selection=[asset],
        resources={**chain.resources, "io_manager": io_manager},
        instance=chain.instance,
        raise_on_error=False,
    )
    return result.output_for_node("below") if result.success else result


IN = dg.AssetIn(key=["people", "cogx_archive"])


def test_an_asset_that_asks_for_a_graph_gets_the_whole_of_it(chain: Chain) -> None:
    @dg.asset(ins={"graph": IN})
    def below(graph: nx.MultiDiGraph) -> Any:
        return graph

    graph = run(chain, below)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (SIZE, SIZE)
    names = nx.get_node_attributes(graph, "name")
    assert sorted(names.values()) == sorted(f"Person {number}" for number in range(SIZE))
    ids = {name: node for node, name in names.items()}
    between = graph.get_edge_data(ids["Person 0"], ids["Person 1"]).values()
    assert {attributes["relationship_name"] for attributes in between} == {"knows", "likes"}


def test_any_kind_of_graph_will_do(chain: Chain) -> None:
    @dg.asset(ins={"graph": IN})
    def below(graph: nx.Graph) -> Any:
        return graph

    assert run(chain, below).number_of_nodes() == SIZE


def test_an_asset_that_asks_for_the_archives_or_nothing_gets_them(chain: Chain) -> None:
    @dg.asset(ins={"stored": IN}, name="below")
    def asking(stored: StoredArchive) -> Any:
        return stored

    @dg.asset(ins={"stored": IN}, name="below")
    def silent(stored) -> Any:  # type: ignore[no-untyped-def]
        return stored

    for asset in (asking, silent):
        stored = run(chain, asset)
        assert isinstance(stored, StoredArchive)
        assert len(stored.files) > 1


def test_an_asset_that_asks_for_something_else_fails(chain: Chain) -> None:
    @dg.asset(ins={"stored": IN})
    def below(stored: dict[str, Any]) -> Any:
        return stored

    assert not run(chain, below).success


def test_a_graph_whose_archives_are_gone_is_not_an_empty_one(chain: Chain) -> None:
    (blobs,) = chain.directory.glob("archives/*/blobs")

    @dg.asset(ins={"graph": IN})
    def below(graph: nx.MultiDiGraph) -> Any:
        return graph

    blobs.rename(blobs.with_name("elsewhere"))
    (failure,) = run(chain, below).filter_events(lambda event: event.is_step_failure)
    blobs.with_name("elsewhere").rename(blobs)
    assert "gone from the archive store" in str(failure.step_failure_data.error)
