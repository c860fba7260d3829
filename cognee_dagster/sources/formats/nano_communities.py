"""nano-graphrag's reports on communities: a file of its working directory, an object by the communities' keys."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.communities import Community
from cognee_dagster.sources.formats.json_file import JsonObject, read_object

REPORTS_FILE = "kv_store_community_reports.json"
_MAX_BYTES = 64 << 20  # beside the texts


class NanoCommunities:
    """The communities in a working directory's file of reports; none where there is no file.

    Args:
        path: The file.
        nodes: Hashes of the keys of the nodes that the graph has.

    Raises:
        GraphFileError: It is no object of reports, also when they are read.
    """

    def __init__(self, path: Path, *, nodes: Collection[int]) -> None:
        content = read_object(path, most=_MAX_BYTES) if path.is_file() else JsonObject({})
        if content is None:
            raise GraphFileError(
                f"has a {REPORTS_FILE} that is not a JSON object of reports. Copy it again, or take it out of the "
                "folder."
            )
        self._content = content
        self._nodes = nodes
        self._parents = {
            sub: key
            for key, report in self._reports()
            for sub in _keys(report, "sub_communities", of=key)
            if sub in content
        }

    @property
    def held_bytes(self) -> int:
        return self._content.size

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[Community]:
        return (self._community(key, report) for key, report in self._reports())

    def _reports(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return ((key, _report(key, self._content.get(key))) for key in self._content)

    def _community(self, key: str, report: dict[str, Any]) -> Community:
        said = report.get("report_json")
        said = said if isinstance(said, dict) else {}
        return Community(
            key=key,
            name=str(said.get("title") or report.get("title") or f"Community {key}"),
            place=f"{REPORTS_FILE}, {key}",
            summary=str(said.get("summary") or ""),
            report=str(report.get("report_string") or ""),
            members=[node for node in _keys(report, "nodes", of=key) if hash(node) in self._nodes],
            parent=self._parents.get(key),
            attributes={
                **{name: value for name, value in said.items() if name not in {"title", "summary", "findings"}},
                **{name: report[name] for name in ("level", "occurrence") if name in report},
            },
        )


def _report(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GraphFileError(f"has a report {key!r} in {REPORTS_FILE} that is not an object. Correct or remove it.")
    return value


def _keys(report: dict[str, Any], name: str, *, of: str) -> list[str]:
    keys = report.get(name) or []
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise GraphFileError(
            f"has a report {of!r} in {REPORTS_FILE} whose {name!r} is no list of names. Correct or remove it."
        )
    return keys
