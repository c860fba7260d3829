"""What a graph and an archive are known by.

The content digest of a graph is equal for equal content, whatever the order of nodes and edges.

A sum of record hashes does not depend on the order of the records or on where batches end, needs no sorting and no
memory, and counts a record that is there twice. XXH3 with 128 bits costs a tenth of a cryptographic hash; the digest
tells versions apart, it does not protect against forgery: that is what the archive's SHA-256 is for.
"""

import hashlib
from collections.abc import Iterable
from itertools import islice

import numpy as np
from xxhash import xxh3_128_digest

_MODULUS = 1 << 128
# The digest of a record as four digits to the base of 2**32, of which numpy can add billions.
_DIGITS = np.dtype((">u4", 4))
_ADDED_TOGETHER = 4_096


def digest_of(records: Iterable[bytes]) -> int:
    """The digest of records in their canonical form; those of parts of a graph add up to that of the whole."""
    records = iter(records)
    digest = 0
    while digests := b"".join(map(xxh3_128_digest, islice(records, _ADDED_TOGETHER))):
        digits = np.frombuffer(digests, _DIGITS).sum(axis=0, dtype=np.uint64)
        digest = combined(digest, *(int(digit) << 32 * place for place, digit in enumerate(reversed(digits))))
    return digest


def combined(*digests: int) -> int:
    """The digest of a graph whose parts have these digests."""
    return sum(digests) % _MODULUS


def digest_text(digest: int) -> str:
    """A digest as 32 hex digits."""
    return f"{digest:032x}"


def content_sha256(members: Iterable[tuple[str, int, bytes]]) -> str:
    """The identity of an archive, 64 hex digits: the SHA-256 of its files' names, sizes and SHA-256s, in their order.

    Of what is uncompressed, because ISA-L does not always make the same of the same content (some 2 times in 100,000),
    and another release of a compressor never has to. The files are hashed one by one, since they are written at once.

    Args:
        members: Name, size and SHA-256 of each file.
    """
    whole = hashlib.sha256()
    for name, size, sha256 in members:
        whole.update(f"{name}\0{size}\0".encode() + sha256)
    return whole.hexdigest()
