"""Texts that stores take: JSON may hold half a character, which has no bytes."""


def is_unicode(text: str) -> bool:
    """Whether a text can be written: not with a lone surrogate in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
