"""What Dagster's page of a resource says besides its config, in which what is found only when it is used is null."""

from collections.abc import Callable
from typing import Any


class Description:
    """A class's docstring, to which each instance adds what it knows; Dagster's page shows an instance's.

    Args:
        docstring: What the class says.
        more: What an instance adds; may be empty.
    """

    def __init__(self, docstring: str | None, *, more: Callable[[Any], str]) -> None:
        self._docstring = docstring or ""
        self._more = more

    def __get__(self, instance: object, owner: type) -> str:
        if instance is None:
            return self._docstring
        more = self._more(instance)
        return f"{self._docstring.rstrip()}\n\n{more}" if more else self._docstring
