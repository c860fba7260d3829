"""Templates: what a chain with partitions says once for all of them, such as ``tenant_{partition}``."""

import os
import re
from pathlib import Path
from typing import Any

PLACEHOLDER = "{partition}"

# In a path these would lead to another file, or to several: a key may be any text, and come from anywhere.
_NOT_IN_A_PATH = re.compile(r"[/\\*?\[\]#%\x00]|^\.{1,2}$")


def is_template(value: Any) -> bool:
    """Whether the value, or one of several, has a place for the partition's key."""
    if type(value) is tuple:  # an AssetKey is one, too
        return any(map(is_template, value))
    return isinstance(value, str | os.PathLike) and PLACEHOLDER in os.fspath(value)


def rendered(value: Any, key: str) -> Any:
    """The value, or all of several, with the partition's key in its place; what is no template stays what it is."""
    if type(value) is tuple:  # an AssetKey is one, too
        return tuple(rendered(item, key) for item in value)
    if not is_template(value):
        return value
    text = os.fspath(value).replace(PLACEHOLDER, key)
    return text if isinstance(value, str) else Path(text)


def key_in(template: str, text: str) -> str | None:
    """The key that makes ``text`` of the template; None where none does."""
    before, _, after = template.partition(PLACEHOLDER)
    if not text.startswith(before) or len(text) <= len(before):
        return None
    rest = text[len(before) :]
    if PLACEHOLDER not in after:
        key = rest[: len(rest) - len(after)] if rest.endswith(after) else ""
        return key or None
    size, left = divmod(len(text) - len(template.replace(PLACEHOLDER, "")), template.count(PLACEHOLDER))
    key = rest[:size] if size > 0 and not left else ""
    return key if key and rendered(template, key) == text else None


def fits_in_a_path(key: str) -> bool:
    """Whether a path with this key in it is one file, and inside the directory that was meant."""
    return _NOT_IN_A_PATH.search(key) is None
