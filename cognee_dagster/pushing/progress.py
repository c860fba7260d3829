"""Who is told how a push is getting on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

UploadProgress = Callable[[int, int], None]
"""Called with (bytes sent, total bytes) of the archive under way, from the upload's thread."""


def _nobody(*_: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class PushProgress:
    """What is called while a push is under way; the default is nobody.

    Attributes:
        on_export: Called with the state of writing and cutting the archive.
        on_shard: Called with (number of the archive from 1, how many there are) when its upload is about to begin.
        on_upload: Called with (bytes sent, total bytes) of the archive under way, from the upload's thread.
    """

    on_export: Callable[..., None] | None = None
    on_shard: Callable[[int, int], None] = _nobody
    on_upload: UploadProgress | None = None
