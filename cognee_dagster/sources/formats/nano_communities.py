"""nano-graphrag's reports on communities: a file of its working directory, an object by the communities' keys."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.formats.communities import Community
from cognee_dagster.sources.formats.json_file import read_object

REPORTS_FILE = "kv_store_community_reports.json"


def nano_communities(path: Path, *, nodes: Collection[str]) -> list[Community]:
    """The communities in a working directory's file of reports; none where there is no file.

    Args:
        path: The file.
        nodes: The nodes that the graph has.

    Raises:
        GraphFileError: It is no object of reports.
    """
    if not path.is_file():
        return []
    content = read_object(path)
    if content is None:
        raise GraphFileError(
            f"has a {REPORTS_FILE} that is not a JSON object of reports. Copy it again, or take it out of the folder."
        )
    reports = {key: _report(key, content.get(key)) for key in content}
    parents = {sub: key for key, report in reports.items() for sub in _keys(report, "sub_communities", of=key)}
    return list(_communities(reports, parents=parents, nodes=nodes))


def _communities(
    reports: dict[str, dict[str, Any]], *, parents: dict[str, str], nodes: Collection[str]
) -> Iterator[Community]:
    for key, report in reports.items():
        said = report.get("report_json")
        said = said if isinstance(said, dict) else {}
        yield Community(
            key=key,
            name=str(said.get("title") or report.get("title") or f"Community {key}"),
            place=f"{REPORTS_FILE}, {key}",
            summary=str(said.get("summary") or ""),
            report=str(report.get("report_string") or ""),
            members=[node for node in _keys(report, "nodes", of=key) if node in nodes],
            parent=parents.get(key),
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
