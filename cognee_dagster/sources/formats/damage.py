"""What parsers say of damaged files, as sentences' ends that a person can do something with."""

import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path

from cognee_dagster.errors import GraphFileError

WRITE_AGAIN = "Write or copy it again."
_DECOMPRESSING = (EOFError, BadGzipFile, zlib.error, lzma.LZMAError)
_CUT_OFF = "it is cut off"


@contextmanager
def decompressing(path: Path) -> Iterator[None]:
    """Damage that a decompressor finds is told of the file.

    Raises:
        GraphFileError: In place of what the decompressor raises.
    """
    try:
        yield
    except _DECOMPRESSING as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno is not None:  # the file system's, and not bz2's
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> GraphFileError:
    reason = _CUT_OFF if isinstance(error, EOFError) else first_line(error)
    what = f"{path.name} is no {path.suffix} file, or a damaged one"
    return GraphFileError(f"cannot be read: {what}: {reason}. {WRITE_AGAIN}")


def json_error(error: ValueError | RecursionError) -> str:
    """What is wrong with a text that is no JSON."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start:,}"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if "set_int_max_str_digits" in str(error):  # Python's advice is for who wrote the program
        return "it has a whole number of too many digits"
    return str(error)


def first_line(error: Exception) -> str:
    """The first line of an error's message, without a stop at its end; some libraries add lines about themselves."""
    lines = str(error).strip().splitlines()
    return (lines[0].rstrip(" .:") if lines else "") or type(error).__name__
