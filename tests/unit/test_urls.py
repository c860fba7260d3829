"""A URL in a definition holds no secret: Dagster keeps definitions in its snapshots."""

from typing import Any

import pytest

from cognee_dagster import CogneeDataset
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.system.urls import secret_in_url

KEY = "marker-key-5f1c"


@pytest.mark.parametrize(
    "url",
    [
        f"https://someone:{KEY}@example.com/g.json",
        f"https://{KEY}@example.com/g.json",
        f"ftp://someone:{KEY}@example.com/a",
        f"s3://ACCOUNT:{KEY}@bucket/a",
        f"simplecache::ftp://someone:{KEY}@example.com/a",
        f"https://x.blob.core.windows.net/c/a?sv=1&sig={KEY}",
        f"https://b.s3.amazonaws.com/a?X-Amz-Signature={KEY}",
        f"https://storage.googleapis.com/a?X-Goog-Signature={KEY}",
        f"https://example.com/g.json?access_token={KEY}",
    ],
)
@pytest.mark.parametrize("field", ["graph", "archive", "documents"])
def test_a_url_with_a_secret_is_refused_at_load_and_the_secret_is_not_repeated(url: str, field: str) -> None:
    options: dict[str, Any] = {field: [url] if field == "documents" else url}
    with pytest.raises(DatasetDefinitionError, match=f"{field}=… cannot be used: there is a .* in it") as refusal:
        CogneeDataset(name="research", **options)
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/g.json?version=2",
        "abfs://container@account.dfs.core.windows.net/a",
        "sftp://someone@example.com/a",
        "s3://bucket/someone@example.com:8/a",
        "graphs/a@b:c.json",
        "https://[not an address",
        None,
    ],
)
def test_what_holds_none_is_let_through(text: str | None) -> None:
    assert secret_in_url(text) is None
