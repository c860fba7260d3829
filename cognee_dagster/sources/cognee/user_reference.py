"""The ways to name a user, and a dataset, of the local Cognee."""

from typing import Protocol
from uuid import UUID

from cognee_dagster.errors import DatasetPermissionError


class HasId(Protocol):
    """A Cognee ``User`` object, or anything else that has a user's id."""

    @property
    def id(self) -> object: ...


class NameOrId(str):
    """A string that is a UUID: the name of a dataset of the user's, or else an id; Cognee itself finds out which."""


# None is Cognee's default user; a str is an e-mail, or a UUID as text.
UserRef = str | UUID | HasId | None


def user_key(user: UserRef) -> UUID | str | None:
    """The user's id, else the e-mail; None for Cognee's default user.

    Raises:
        DatasetPermissionError: It names no user at all: an empty string, one that is not Unicode, or an object whose id
            is no UUID.
    """
    if user is None or isinstance(user, UUID):
        return user
    text = user if isinstance(user, str) else str(getattr(user, "id", ""))
    try:
        return UUID(text)
    except ValueError:
        if isinstance(user, str) and text.strip() and _is_encodable(text):
            return text
    raise DatasetPermissionError(
        f"{user!r} is no user: pass an e-mail, a UUID, a Cognee user object, or None for Cognee's default user."
    )


def _is_encodable(text: str) -> bool:
    """Whether it has no half of a surrogate pair, which is what Python makes of bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
