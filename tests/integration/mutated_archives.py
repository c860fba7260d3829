"""Archives that are wrong in one thing or two, each described: what a server and ``validate`` are asked to judge.

Made with ``tarfile``, ``json`` and ``random`` alone, nothing of the package under test. The same seed gives the same
archive.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.contract.archives import Records, handbook, people
from tests.integration import mutated_records, mutated_tars

Mutation = Callable[[Records, random.Random], tuple[str, bytes]]


@dataclass(frozen=True)
class Mutated:
    """An archive and what was done to it."""

    name: str
    description: str
    content: bytes


def mutated(count: int) -> Iterator[Mutated]:
    """So many archives; every mutation at least once if there are enough, in turns of manifest, records and tar."""
    kinds: list[Mutation] = [*mutated_records.MUTATIONS, *mutated_tars.MUTATIONS]
    for number in range(count):
        chance = random.Random(number)
        mutation = kinds[number % len(kinds)] if number < len(kinds) else chance.choice(kinds)
        base = _base(f"m{number}", chance)
        description, content = mutation(base, chance)
        yield Mutated(f"{number:04}", description, content)


def _base(owner: str, chance: random.Random) -> Records:
    """A small sound archive whose ids no other one has."""
    base = people(owner) if chance.random() < 0.7 else handbook(owner)
    system = chance.choice(["cognee", "cognee", "mem0"])
    return replace(base, manifest={**base.manifest, "source_system": system})
