"""What a server offers, read in the description of its API (``GET /openapi.json``).

More certain than a version: Cognee reports ``0.1.0-local``, or whatever stands there, when a ``pyproject.toml`` lies
above its installed package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, kw_only=True)
class ApiOffer:
    """What the API description says.

    Attributes:
        imports_archives: ``POST /api/v1/remember`` has an ``import_mode`` (Cognee 1.2.0 and newer).
        filters_runs: The list of runs can be asked for one pipeline's, and says how a run ended (1.5.4 and newer).
    """

    imports_archives: bool
    filters_runs: bool


def parse_api_offer(body: bytes | bytearray) -> ApiOffer:
    """An OpenAPI description.

    Raises:
        ValueError: It is none.
    """
    description = msgspec.json.decode(body)
    if not isinstance(description, dict):
        raise ValueError(f"{type(description).__name__} instead of an OpenAPI description")
    return ApiOffer(imports_archives=_has_import_mode(description), filters_runs=_filters_runs(description))


def _has_import_mode(description: Mapping[str, Any]) -> bool:
    form = _dig(description, "paths", "/api/v1/remember", "post", "requestBody", "content", "multipart/form-data")
    body = _dig(form, "schema")
    composed = body.get("allOf")
    parts = [body, *(part for part in composed if isinstance(part, dict))] if isinstance(composed, list) else [body]
    referred = [str(part.get("$ref", "")).rpartition("/")[2] for part in parts]
    schemas = [*parts, *(_dig(description, "components", "schemas", name) for name in referred)]
    return any("import_mode" in _dig(schema, "properties") for schema in schemas)


def _filters_runs(description: Mapping[str, Any]) -> bool:
    parameters = _dig(description, "paths", "/api/v1/activity/pipeline-runs", "get").get("parameters")
    known = parameters if isinstance(parameters, list) else []
    return any(isinstance(parameter, dict) and parameter.get("name") == "pipeline_name" for parameter in known)


def _dig(tree: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The object at ``path``; an empty one where the path ends early."""
    found: Any = tree
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
