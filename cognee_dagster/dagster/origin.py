"""Where a resource's values were written, as a run knows it: messages name that, and not just what the values are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

# What Dagster calls a resource that it is given without a key of its own.
WITHOUT_KEY = "resource"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a resource is bound.

    Attributes:
        key: Its key in the code location; None where it is used without one.
        written: Its fields as they were written: a value, or ``{"env": name}`` for a ``dg.EnvVar``.
    """

    key: str | None = None
    written: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, context: dg.InitResourceContext) -> "Origin":
        """Of the resource that is being made."""
        definition, definitions = context.resource_def, context.all_resource_defs or {}
        key = next((key for key, found in definitions.items() if found is definition), None)
        written = definition.config_schema.default_value if definition and definition.config_schema else None
        return cls(key=None if key == WITHOUT_KEY else key, written=written if isinstance(written, Mapping) else {})

    def variable(self, name: str, value: Any) -> str | None:
        """The environment variable that a field's value was read from, if it was."""
        if isinstance(value, dg.EnvVar):
            return value.env_var_name
        written = self.written.get(name)
        variable = written.get("env") if isinstance(written, Mapping) else None
        # What a launch says goes before what is written.
        return str(variable) if variable is not None and os.environ.get(variable) == value else None

    def source_of(self, name: str, value: Any, *, otherwise: str) -> str:
        """What messages say a field's value is from; ``otherwise`` where the resource has no key."""
        if self.key is None:
            return otherwise
        variable = self.variable(name, value)
        return f"{f'{variable}, ' if variable else ''}the {name} of the remote {self.key!r}"

    def field_of(self, name: str, value: Any) -> str:
        """A field, as the beginning of a sentence about its value."""
        variable = self.variable(name, value)
        return f"The {name} of the remote {self.key!r}{f' ({variable})' if variable else ''}"
