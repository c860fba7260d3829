"""A ``GraphMapping`` as people write it down: in a YAML or JSON file, or as ``name=value``."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.mapping.value import GraphMapping

_INLINE = re.compile(r"(?P<name>\w+)=(?P<value>.*)", re.DOTALL)
_MAX_BYTES = 1 << 16
_LISTS = frozenset({"keep", "drop"})
_NAMES = frozenset({"node_type", "name", "relationship"})  # one, or several to be tried in order


def written_mapping(texts: Iterable[str]) -> GraphMapping:
    """The mapping that these say together; a later one wins.

    Args:
        texts: Each the path of a YAML or JSON file with the fields of a ``GraphMapping``, such fields as JSON, or one
            field as ``name=value``, where commas stand between several attributes.

    Raises:
        GraphFileError: There is no such file, or what it says cannot work.
    """
    fields: dict[str, Any] = {}
    for text in texts:
        fields.update(_inline(text) or _from_file(text))
    return GraphMapping.of(fields)


def _inline(text: str) -> Mapping[str, Any] | None:
    if text.lstrip().startswith("{"):
        return _fields(text, of=f"The mapping {text:.60}")
    if (match := _INLINE.fullmatch(text)) is None:
        return None
    name, value = match["name"], match["value"]
    parts = [part.strip() for part in value.split(",")]
    if name in _LISTS or (name in _NAMES and len(parts) > 1):
        return {name: parts}
    return {name: value}


def _from_file(place: str) -> Mapping[str, Any]:
    path = Path(place).expanduser()
    if path.exists() and not (path.is_file() and path.stat().st_size <= _MAX_BYTES):
        raise GraphFileError(
            f"The mapping file {place} is not a regular file of {_MAX_BYTES:,} bytes at most. Name another."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GraphFileError(
            f"The mapping file {place} cannot be read: {error}. Name a YAML or JSON file, or say it here: "
            "node_type=species."
        ) from error
    return _fields(text, of=f"The mapping file {place}")


def _fields(text: str, *, of: str) -> Mapping[str, Any]:
    import yaml  # what needs no mapping does without

    try:
        try:
            fields = json.loads(text)
        except ValueError:
            fields = yaml.safe_load(text)
        written = yaml.compose(text, yaml.SafeLoader)  # JSON is YAML, too
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise GraphFileError(f"{of} is neither YAML nor JSON: {reason}. Correct it.") from error
    names = [name.value for name, _ in written.value] if isinstance(written, yaml.MappingNode) else []
    if twice := next((name for name, number in Counter(names).items() if number > 1), None):
        raise GraphFileError(f"{of} says {twice!r:.60} more than once. Join them.")
    if not isinstance(fields, Mapping):
        raise GraphFileError(
            f"{of} does not hold the fields of a GraphMapping. Write some, such as: node_type: species."
        )
    return fields
