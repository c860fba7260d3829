"""What a failed check of a mirror's remote graph says to do is what mends it: an unchanged mirror sends nothing."""

from pathlib import Path

import pytest

from cognee_dagster.testing import FakeRemote
from tests.asset_chain import NO_RETRY, Chain, people

CHECKS = ("remote_graph_complete", "remote_in_sync")


@pytest.fixture
def chain(remote: FakeRemote, tmp_path: Path) -> Chain:
    options = {"sync": "incremental", "verify": "graph", "retry_policy": NO_RETRY}
    return Chain(remote=remote, directory=tmp_path, graph=people(size=5), options=options)


def lose_a_node(remote: FakeRemote) -> None:
    nodes = remote.graph("people").nodes
    del nodes[next(iter(nodes))]


@pytest.mark.parametrize("check", CHECKS)
def test_where_a_mirror_lacks_something_a_check_advises_to_resend(remote: FakeRemote, chain: Chain, check: str) -> None:
    assert chain.run().success
    lose_a_node(remote)
    assert str(chain.check(check).description).startswith(f"'people' on {remote.url} is ")
    assert str(chain.check(check).description).endswith(
        "Launch remote_push with `resend: true` in its config, which sends everything again."
    )
    chain.run()
    assert not chain.check(check).passed  # a push that was not told so sends nothing
    assert chain.run(config={"resend": True}).success
    assert chain.check(check).passed


@pytest.mark.parametrize("check", CHECKS)
def test_after_a_full_push_a_check_advises_to_push_again(remote: FakeRemote, chain: Chain, check: str) -> None:
    chain.options["sync"] = "full"
    assert chain.run().success
    lose_a_node(remote)
    assert str(chain.check(check).description).endswith("Push again.")
    assert chain.run().success
    assert chain.check(check).passed
