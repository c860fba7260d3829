"""What others wrote, made safe to show: one line of printable characters, no key in it, no terminal escapes, no markup.

Messages end up on terminals, in logs and in Dagster's pages, which render Markdown.
"""

import re

from cognee_dagster.system.key_spellings import without_key

MAX_WORDS = 500  # characters of somebody else's text that a message quotes
_MAX_LOOKED_AT = 16_384  # characters; searching more for a key takes time that its owner has not got

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor movements
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"  # titles, links, device commands
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)


def safe(text: str, *, secret: str = "") -> str:
    """One printable line of at most ``MAX_WORDS`` characters, with ``***`` for the secret however it is spelled."""
    text = _ESCAPES.sub("", text[:_MAX_LOOKED_AT])
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    line = without_key(line, secret)
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def quoted(text: str, *, secret: str = "") -> str:
    """The same as a Markdown code span, which nothing in it can end; empty for nothing."""
    line = safe(text, secret=secret).replace("`", "'")
    return f"`{line}`" if line else ""
