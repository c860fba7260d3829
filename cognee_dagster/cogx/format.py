"""The files of a COGX 0.1 archive, and what a Cognee server accepts (Cognee 1.6.5, ``modules/migration``)."""

from dataclasses import dataclass

COGX_VERSION = "0.1"
# The system that Cognee's own archives are of: only of these a server keeps the ids of entities.
COGNEE_SYSTEM = "cognee"
ARCHIVE_SUFFIX = ".cogx.tar.gz"  # of those that are written here
ARCHIVE_SUFFIXES = (".cogx", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

MANIFEST_FILE = "manifest.json"
DOCUMENTS_FILE = "documents.jsonl"
ENTITIES_FILE = "entities.jsonl"
FACTS_FILE = "facts.jsonl"
NODES_FILE = "nodes.jsonl"
# The owner's and grantees' accounts with their password hashes: never written here, reported where it is met.
PERMISSIONS_FILE = "permissions.json"

# Record file -> the kind of its records, in the order in which Cognee reads the files.
RECORD_KINDS = {
    DOCUMENTS_FILE: "document",
    "episodes.jsonl": "episode",
    ENTITIES_FILE: "entity",
    FACTS_FILE: "fact",
    "memories.jsonl": "memory",
    "memory_blocks.jsonl": "memory_block",
    NODES_FILE: "raw_node",
}

ENTITY_TYPE = "EntityType"  # the type of the nodes that are types of entities
IS_A = "is_a"  # what leads to them

# Kinds of which an import keeps the text as a document, and, unless the mode is preserve, cognifies it.
TEXT_KINDS = ("document", "episode", "memory", "memory_block")

# What unpack_archive of modules/migration/archive.py refuses.
MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 512 * 1024 * 1024
MAX_TOTAL_BYTES = 2 * 1024 * 1024 * 1024

# What a document's line may grow by when it is pushed: its id gets the remote dataset's id and a colon before it.
DOCUMENT_GROWTH_BYTES = 37


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one archive may hold; the defaults are what every Cognee server accepts.

    Attributes:
        members: Number of files.
        member_bytes: Size of a file, unpacked.
        total_bytes: Size of all files together, unpacked.
    """

    members: int = MAX_MEMBERS
    member_bytes: int = MAX_MEMBER_BYTES
    total_bytes: int = MAX_TOTAL_BYTES


SERVER_LIMITS = Limits()
