from .archives import ArchiveStore as ArchiveStore
from .stored import StoredArchive as StoredArchive
from .stored import StoredFile as StoredFile
