"""A URL in a definition holds no secret: Dagster keeps definitions in its snapshots."""

from typing import Any

import pytest

from cognee_dagster import CogneeDataset
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.system.urls import address_problem, secret_in_url

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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" ", "is blank"),
        ("foo", "it has no https:// or http:// in front"),
        ("localhost:8000", "it has no https:// or http:// in front"),
        ("${PRODUCTION_URL}", "a placeholder in it"),
        ("https://{{ env.HOST }}", "a placeholder in it"),
        ("ftp://example.com", "is not an address like https://cognee.example.com"),
        ("https://", "is not an address like"),
        ("https://example.com:0", "is not an address like"),
        ("https://example.com/a b", "is not an address like"),
        ("https://example.com:many", "is not an address like"),
        (f"https://{KEY}@example.com", "a user name or password"),
        (f"https://example.com?a={KEY}", "a query or fragment"),
    ],
)
def test_why_a_text_is_no_servers_address_is_said_without_the_text(text: str, problem: str) -> None:
    said = str(address_problem(text))
    assert problem in said
    assert KEY not in said


@pytest.mark.parametrize(
    "url", ["https://example.com", " HTTP://127.0.0.1:8000/ ", "https://example.com/cognee/api/v1"]
)
def test_an_address_of_a_server_is_one(url: str) -> None:
    assert address_problem(url) is None
