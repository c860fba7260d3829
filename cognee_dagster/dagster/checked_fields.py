"""``CheckedFields``: what a user writes down, each field of which is checked where it is said."""

import hashlib
import json
import os
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, cast, get_origin, get_type_hints

import dagster as dg

from cognee_dagster.dagster.field_types import FieldType
from cognee_dagster.errors import CogneeDagsterError, DatasetDefinitionError
from cognee_dagster.system.urls import secret_in_url

CODE_VERSION = 1  # raise it when the assets' code changes what they produce


class CheckedFields:
    """A frozen dataclass with a ``name``, whose fields have types of ``field_types``."""

    @property
    def shown_name(self) -> str:
        """What an error calls it."""
        return f"{type(self).__name__} {str(getattr(self, 'name', ''))[:80]!r}"

    def code_version(self, *fields: str) -> str:
        """A hash of the code's version and of the named fields, so that Dagster sees when a definition changed."""
        values = {name: str(getattr(self, name)) for name in fields}
        text = json.dumps([CODE_VERSION, values], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]

    def _check_types(self) -> None:
        for name, its_type in _field_types(cast(Hashable, type(self))).items():
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, its_type.checked(value))
            except ValueError as error:
                raise self._error(name, value, str(error)) from None

    def _check_holds_no_secret(self, *names: str) -> None:
        """What is said in a definition stands in Dagster's snapshots of it."""
        for name in names:
            value = getattr(self, name)
            if found := self._secret_in(value):
                raise self._error(
                    name,
                    value,
                    f"there is {found} in it, which Dagster's snapshots would keep; give the file system its "
                    "credentials by its own environment variables, or by fsspec's configuration",
                )

    @staticmethod
    def _secret_in(value: Any) -> str | None:
        """Of a text, or of any in a list."""
        items = value if type(value) in (tuple, list) else (value,)  # an AssetKey is a tuple, too
        texts = (str(item) if isinstance(item, os.PathLike) else item for item in items)
        return next((found for text in texts if (found := secret_in_url(text))), None)

    def _check(self, name: str, probe: Callable[[], object]) -> None:
        try:
            probe()
        except (CogneeDagsterError, dg.DagsterError, TypeError) as error:
            raise self._error(name, getattr(self, name), str(error)) from None

    def _error(self, field: str, value: Any, reason: str) -> DatasetDefinitionError:
        shown = "…" if self._secret_in(value) else repr(value if not isinstance(value, Path) else str(value))
        if len(shown) > 100:
            shown = shown[:97] + "…" + shown[-1]
        return DatasetDefinitionError(f"{self.shown_name}: {field}={shown} cannot be used: {reason}.")


@cache
def _field_types(kind: Hashable) -> Mapping[str, FieldType]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: FieldType(hint) for name, hint in hints.items() if get_origin(hint) is Annotated}
