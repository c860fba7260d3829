from .archives import DEFAULT_ARCHIVE_DIRECTORY as DEFAULT_ARCHIVE_DIRECTORY
from .archives import ArchiveStore as ArchiveStore
from .files import is_local as is_local
from .stored import StoredArchive as StoredArchive
from .stored import StoredFile as StoredFile
