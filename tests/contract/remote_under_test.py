"""The remote that a contract case talks to, fake or real, over plain httpx."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.contract.archives import Records

UPLOADED = "application/gzip"
TIMEOUT = 120.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of the remote."""

    id: str
    email: str
    api_key: str


@dataclass(frozen=True, kw_only=True)
class RemoteUnderTest:
    """A server and two accounts on it: a superuser, whose key is used unless another is given, and a plain user."""

    url: str
    admin: Account
    bob: Account
    http: httpx.Client = field(repr=False)

    def get(self, path: str, *, as_user: Account | None = None, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params, headers=self._headers(as_user))

    def delete(self, path: str, *, as_user: Account | None = None) -> httpx.Response:
        return self.http.delete(path, headers=self._headers(as_user))

    def empty(self, dataset_id: str, *, as_user: Account | None = None) -> httpx.Response:
        """Delete a dataset's graph, and nothing else of it."""
        body = {"datasetId": dataset_id, "memoryOnly": True}
        return self.http.post("/api/v1/forget", json=body, headers=self._headers(as_user))

    def search(self, asked: Mapping[str, Any], *, as_user: Account | None = None) -> httpx.Response:
        return self.http.post("/api/v1/search", json=dict(asked), headers=self._headers(as_user))

    def create_dataset(self, name: str, *, as_user: Account | None = None) -> str:
        answer = self.http.post("/api/v1/datasets", json={"name": name}, headers=self._headers(as_user))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def upload(
        self,
        archive: Records | bytes | list[bytes] | None,
        dataset: str | None,
        *,
        as_user: Account | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        """``POST /api/v1/remember`` with ``content_type=cogx-archive``; ``fields`` replace or add form fields."""
        form = {"datasetName": dataset, "content_type": "cogx-archive", "import_mode": "preserve", **fields}
        contents = archive if isinstance(archive, list) else [archive] if archive is not None else []
        packed = [content.packed() if isinstance(content, Records) else content for content in contents]
        return self.http.post(
            "/api/v1/remember",
            data={key: value for key, value in form.items() if value is not None},
            files=[("data", ("x.cogx.tar.gz", content, UPLOADED)) for content in packed] or {"nothing": (None, "")},
            headers=headers if headers is not None else self._headers(as_user),
        )

    def dataset_ids(self, name: str, *, as_user: Account | None = None) -> list[str]:
        """Ids of the readable datasets of that name; shared ones are among them."""
        listed = self.get("/api/v1/datasets", as_user=as_user).json()
        return [dataset["id"] for dataset in listed if dataset["name"] == name]

    def graph(self, name: str, *, as_user: Account | None = None) -> dict[str, Any]:
        (dataset_id,) = self.dataset_ids(name, as_user=as_user)
        answer = self.get(f"/api/v1/datasets/{dataset_id}/graph", as_user=as_user)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def runs(self, dataset_id: str, **params: Any) -> list[dict[str, Any]]:
        answer = self.get("/api/v1/activity/pipeline-runs", dataset_id=dataset_id, **params)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def wait_for_end(self, dataset_id: str, run_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """The row that ends a run."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for row in self.runs(dataset_id):
                if row["pipeline_run_id"] == run_id and row["outcome"] is not None:
                    return row
            time.sleep(0.1)
        raise AssertionError(f"run {run_id} did not end within {seconds} s")

    def _headers(self, account: Account | None) -> dict[str, str]:
        return {"X-Api-Key": (account or self.admin).api_key}


def node_ids(graph: Mapping[str, Any]) -> set[str]:
    return {node["id"] for node in graph["nodes"]}


def triples(graph: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    return {(edge["source"], edge["label"], edge["target"]) for edge in graph["edges"]}


def node(graph: Mapping[str, Any], node_id: str) -> dict[str, Any]:
    (found,) = [node for node in graph["nodes"] if node["id"] == node_id]
    return dict(found)


def in_order(graph: Mapping[str, Any]) -> dict[str, Any]:
    """A graph that can be compared: neither server promises an order."""
    return {
        "nodes": sorted(graph["nodes"], key=lambda node: node["id"]),
        "edges": sorted(graph["edges"], key=lambda edge: (edge["source"], edge["label"], edge["target"])),
    }
