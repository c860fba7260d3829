"""``Probe``: a question, and what a remote dataset must have for it."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.remote.search_types import SEARCH_TYPES, SearchType
from cognee_dagster.remote.wording import MAX_WORDS

MAX_QUESTION = 1_000  # characters
MAX_CONTAINS = MAX_WORDS
MAX_TOP_K = 100

ProbeSeverity = Literal["error", "warn"]

_BEFORE = 80  # characters that are shown before what was found


@dataclass(frozen=True)
class Probe:
    """A question, and what must be found for it: ``Probe("Who founded Acme?", contains="Ada")``.

    The remote searches as it would for a language model, and asks none. What it finds must hold ``contains``: anywhere,
    inside of a word too. Upper and lower case are alike, and any white space is like any other.

    Attributes:
        question: What is asked.
        contains: What must be found.
        search_type: How it is searched: GRAPH_COMPLETION (nodes and relationships), HYBRID_COMPLETION (texts, too),
            CHUNKS or SUMMARIES (texts, by meaning), or CHUNKS_LEXICAL (texts, by their words).
        top_k: How many relationships, chunks or summaries are found at most.
        severity: Whether the check fails with an error or a warning where it is not found.

    Raises:
        DatasetDefinitionError: A value that cannot work.
    """

    question: str
    contains: str
    search_type: SearchType = "GRAPH_COMPLETION"
    top_k: int = 15
    severity: ProbeSeverity = "error"

    def __post_init__(self) -> None:
        for name, longest in (("question", MAX_QUESTION), ("contains", MAX_CONTAINS)):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip() or len(value) > longest:
                raise self._error(name, f"a string of 1 to {longest:,} characters")
            if not _can_be_sent(value):
                raise self._error(name, "text, without half a surrogate pair")
        if self.search_type not in SEARCH_TYPES:
            raise self._error("search_type", f"one of {', '.join(SEARCH_TYPES)}, which need no language model")
        if type(self.top_k) is not int or not 1 <= self.top_k <= MAX_TOP_K:
            raise self._error("top_k", f"a whole number from 1 to {MAX_TOP_K}")
        if self.severity not in get_args(ProbeSeverity):
            raise self._error("severity", "error or warn")

    def _error(self, name: str, must_be: str) -> DatasetDefinitionError:
        return DatasetDefinitionError(
            f"Probe {self.question!r:.80}: {name}={getattr(self, name)!r:.60} cannot be used: it must be {must_be}."
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = unicodedata.normalize("NFC", self.contains).split()
        return re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)

    def excerpt(self, found: str) -> str | None:
        """The place of what must be found in what was; None where it is not there."""
        text = unicodedata.normalize("NFC", found)
        match = self._pattern.search(text)
        if match is None:
            return None
        begin = max(0, match.start() - _BEFORE)
        return ("…" if begin else "") + text[begin : match.end() + MAX_WORDS]


def _can_be_sent(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
