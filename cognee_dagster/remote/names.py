"""Which dataset names a Cognee server takes."""

import unicodedata

from cognee_dagster.errors import InvalidTargetError


def validate_dataset_name(name: str) -> None:
    """Refuse a target dataset name that the remote would refuse, before anything is sent.

    Spaces and dots are what Cognee's import refuses (1.6.5, ``modules/data/methods/check_dataset_name.py``), after the
    whole upload and as "Invalid COGX archive."; no name at all is refused, too. Control characters and lone surrogates
    are refused here: the first cannot be seen in a name, the second cannot be sent.

    Raises:
        InvalidTargetError: With the reason, and the hint to set ``target_dataset``.
    """
    if not name:
        problem = "is empty"
    elif " " in name or "." in name:
        problem = "has a space or a dot in it, which Cognee does not allow"
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        problem = "has control characters or broken Unicode in it"
    else:
        return
    raise InvalidTargetError(
        f"The dataset name {name!r} cannot be used on the remote: it {problem}. Set target_dataset to another name, "
        f"for example {_suggestion(name)!r}."
    )


def _suggestion(name: str) -> str:
    kept = "".join(character if character.isalnum() or character in "-_" else "_" for character in name)
    return kept[:80].strip("_") or "main_dataset"
