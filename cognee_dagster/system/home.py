"""Paths that begin with ``~``: an empty HOME counts as one that is not set, and not as the root directory."""

import os
import pwd
from pathlib import Path


def expanded(path: str) -> Path:
    """The path with the home directory in the place of ``~``.

    Raises:
        RuntimeError: It is not known.
    """
    name, _, below = path.partition("/")
    if name != "~" or os.environ.get("HOME") != "":
        return Path(path).expanduser()
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir, below)
    except KeyError:
        raise RuntimeError("HOME is empty, and this machine does not know its user.") from None
