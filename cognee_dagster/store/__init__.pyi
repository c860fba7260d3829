from .archives import ArchiveStore as ArchiveStore
from .archives import StoredArchive as StoredArchive
from .archives import StoredFile as StoredFile
