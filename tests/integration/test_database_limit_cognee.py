"""What docs/mirrors.md, "Before you mirror to a server with Ladybug", says of it."""

from pathlib import Path

import pytest

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import RemoteRejectedError
from cognee_dagster.pushing.verify import compare_archives
from cognee_dagster.remote.client import CogneeClient
from cognee_dagster.sandbox import CogneeServer
from tests.pushes import client_of, demo_archive, push_archive

_LIMIT = 1 << 27  # used up by 15 checkpoints, of which an import makes three
_MORE_THAN_ENOUGH_PUSHES = 20


def _push_often(archive: Archive, client: CogneeClient) -> None:
    for _ in range(_MORE_THAN_ENOUGH_PUSHES):
        assert push_archive(archive, client=client, target_dataset="often").status == "completed"


def test_a_dataset_whose_database_is_used_up_is_told_and_comes_back_without_its_file(
    real_cognee: None, tmp_path: Path
) -> None:
    archive, where = demo_archive(tmp_path), tmp_path / "server"
    with (
        CogneeServer(where, settings={"KUZU_MAX_DB_SIZE": str(_LIMIT)}) as server,
        client_of(server.url, server.api_key) as client,
    ):
        with pytest.raises(RemoteRejectedError, match=r"its log says which.*set KUZU_MAX_DB_SIZE there"):
            _push_often(archive, client)
        assert f"Maximum database size of {_LIMIT} bytes has been reached" in server.log.read_text(errors="replace")
    for file in where.rglob("*.lbug*"):
        file.unlink()
    with CogneeServer(where) as server, client_of(server.url, server.api_key) as client:
        client.delete_dataset(client.ensure_dataset("often").id)
        _push_often(archive, client)
        compared = compare_archives([archive], client=client, target_dataset="often")
    assert (compared.num_nodes, compared.num_edges) == (3, 2)
    assert not any(compared.differences)
