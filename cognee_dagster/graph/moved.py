"""Old import paths that the guide named, which still work and warn."""

import importlib
import warnings
from typing import Any


def moved(old: str, name: str, *, to: str) -> Any:
    """A name of a module that moved. The new module is above this layer, so it is imported when it is asked for only.

    Args:
        old: The old module.
        name: What is asked for.
        to: The new module.

    Raises:
        AttributeError: The new module does not have it either.
    """
    if name.startswith("__"):
        raise AttributeError(f"module {old!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(to), name)
    warnings.warn(f"{old}.{name} is {to}.{name} now; the old path goes with the next release.", DeprecationWarning, 3)
    return value
