"""What makes the ``url`` or ``api_key`` of a remote none: asked when definitions are loaded, and when a run starts."""

from typing import Final, Literal

from cognee_dagster.system.urls import address_problem

ADDRESS_FIELDS: Final = ("url", "api_key")

_EMPTY = (
    "is empty; it may come from a variable that is not set here. Set it, since a remote with a name of its own is not "
    "looked for where Cognee would look: what was meant for it, or another server's key, would go to the wrong one. To "
    "have it found there, leave the field out."
)
_CORRECT = (
    "Correct it where it was set; a variable is written as {{ env.NAME }} in a defs.yaml, and in Python as "
    'dg.EnvVar("NAME").'
)


def refusal(name: Literal["url", "api_key"], value: str, *, has_own_name: bool) -> str | None:
    """Why a field's value cannot be used, as the rest of a sentence about it; None where it can.

    Args:
        name: The field.
        value: What it holds, all variables resolved; it is not repeated.
        has_own_name: Whether the remote is one of several: what it does not say is not found elsewhere.
    """
    if not value.strip() and has_own_name:
        return _EMPTY
    if name == "url" and value and (problem := address_problem(value)):
        return f"{problem}. {_CORRECT}"
    return None
