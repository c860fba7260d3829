"""Values that XML formats hold as text, by the type that the file declares for them."""

from typing import Any

_INTEGERS = {"int", "integer", "long", "short", "byte", "biginteger", "positiveinteger", "nonnegativeinteger"}
_DECIMALS = {"float", "double"}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_SPECIAL_FLOATS = {"inf": "inf", "-inf": "-inf", "+inf": "inf", "infinity": "inf", "-infinity": "-inf"}


def typed_value(text: str, declared: str) -> Any:
    """The value of a text; types that no format defines are left as text.

    Raises:
        ValueError: The text is not of the declared type.
    """
    declared = declared.strip().lower()
    if declared.startswith("list") and declared != "list":
        return [typed_value(item, declared.removeprefix("list")) for item in _list_items(text)]
    if declared in _INTEGERS:
        return int(text)
    if declared in _DECIMALS:
        return float(_SPECIAL_FLOATS.get(text.strip().lower(), text))
    if declared == "boolean":
        return _TRUTHS[text.strip().lower()]
    return text


def declared_value(text: str, declared: str) -> Any:
    """``typed_value``, with an error that says what is wrong.

    Raises:
        ValueError: The text is not of the declared type; the message says so.
    """
    try:
        return typed_value(text, declared)
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"is declared as {declared}, but holds {text!r:.60}. Correct the value, or declare it as string"
        ) from error


def _list_items(text: str) -> list[str]:
    """``[a, b]`` as Gephi writes it, or ``a|b``, ``a;b``, ``a,b`` as the format's primer allows."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text, separator = text[1:-1], ","
    else:
        separator = next((mark for mark in "|;," if mark in text), ",")
    return [item.strip() for item in text.split(separator) if item.strip()] if text.strip() else []
