"""What is on a server's disk when it has unpacked a tar (Cognee 1.6.5, ``modules/migration/archive.py``).

Files overwrite files of the same name, and what cannot be made ends the import. The archive is in the directory of the
manifest: the top, or the only directory there.
"""

from pathlib import PurePosixPath

from cognee_dagster.cogx.advice import NAME_ANOTHER, PACK_AGAIN
from cognee_dagster.cogx.format import MANIFEST_FILE
from cognee_dagster.errors import ArchiveError

_MAX_NAME_BYTES = 255
_MAX_TIME = 2.0**63


class Extraction:
    """Directories and files as they come about, member by member.

    Attributes:
        files: The number of the last member that was written to a path.
        overwritten: Paths that were written to more than once.
    """

    def __init__(self) -> None:
        self.files: dict[PurePosixPath, int] = {}
        self.overwritten: set[PurePosixPath] = set()
        self._directories: set[PurePosixPath] = {PurePosixPath()}

    def add(self, place: PurePosixPath, *, number: int, is_directory: bool, modified: float) -> None:
        """Unpack one member.

        Raises:
            ArchiveError: A server cannot; the message begins with the member's name.
        """
        if not -_MAX_TIME < modified < _MAX_TIME:
            raise ArchiveError(
                f"{str(place)!r:.200} has a time that no file system takes ({modified!r:.30}). {PACK_AGAIN}"
            )
        if any(len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME_BYTES for part in place.parts):
            raise ArchiveError(f"{str(place)!r:.200} is a name that no file system takes. {PACK_AGAIN}")
        for parent in place.parents:
            if parent in self.files:
                raise ArchiveError(f"{str(place)!r:.200} is below {str(parent)!r:.200}, which is a file. {PACK_AGAIN}")
        self._directories.update(place.parents)
        if is_directory:
            if place in self.files:
                raise ArchiveError(f"{str(place)!r:.200} is a directory, and a file before. {PACK_AGAIN}")
            self._directories.add(place)
        elif place in self._directories:
            raise ArchiveError(f"{str(place)!r:.200} is a file, and a directory before. {PACK_AGAIN}")
        else:
            if place in self.files:
                self.overwritten.add(place)
            self.files[place] = number

    def root(self) -> PurePosixPath:
        """The directory of the manifest.

        Raises:
            ArchiveError: There is none that a server finds.
        """
        top = PurePosixPath()
        if self._exists(top / MANIFEST_FILE):
            found = top
        else:
            directories = [directory for directory in self._directories if len(directory.parts) == 1]
            with_manifest = [directory for directory in directories if self._exists(directory / MANIFEST_FILE)]
            if not with_manifest:
                raise ArchiveError(f"no {MANIFEST_FILE} in it: not a COGX archive. {NAME_ANOTHER}")
            if len(directories) > 1:
                other = next(directory for directory in directories if directory != with_manifest[0])
                raise ArchiveError(
                    f"beside {str(with_manifest[0])!r:.80}, where {MANIFEST_FILE} is, there is the directory "
                    f"{str(other)!r:.80}; a Cognee server then finds no manifest. {PACK_AGAIN}"
                )
            found = with_manifest[0]
        if found / MANIFEST_FILE not in self.files:
            raise ArchiveError(f"{MANIFEST_FILE} is a directory. {PACK_AGAIN}")
        return found

    def _exists(self, place: PurePosixPath) -> bool:
        return place in self.files or place in self._directories
