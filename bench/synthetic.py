"""A made-up graph like those that ``cognee.cognify()`` makes: documents, chunks, summaries, entities, entity types.

Shapes, property names and spellings are those of Cognee 1.6.5's stores; the words are made up, with a natural
distribution, so that the graph compresses like text. The same size gives the same graph.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5
from itertools import accumulate

from bench.graph_file import EdgeRow, NodeRow

_EPOCH_MILLISECONDS = 1_788_471_595_000
_WORDS_DRAWN = 1_000_000
_SYLLABLES = [first + second for first in "bcdfghklmnprstvwz" for second in ("a", "e", "i", "o", "u", "ai", "or", "en")]
_RELATIONSHIPS = (
    "works_with",
    "depends_on",
    "located_in",
    "part_of",
    "uses",
    "founded",
    "owns",
    "creates",
    "reports_to",
)

# Shares of all nodes; entities are the rest.
_CHUNKS = 0.10
_SUMMARIES = 0.10
_DOCUMENTS = 0.005
_TYPES = 0.005
# Edges per node, over the whole graph, as in the baseline's 580,000 for 200,000.
_EDGES_PER_NODE = 2.9


@dataclass(frozen=True)
class SyntheticGraph:
    """A graph of a given number of nodes and 2.9 times as many edges.

    Attributes:
        num_nodes: How many nodes; 1,000 or more.
    """

    num_nodes: int

    @property
    def num_edges(self) -> int:
        """How many edges."""
        return round(self.num_nodes * _EDGES_PER_NODE)

    def nodes(self) -> Iterator[NodeRow]:
        """Documents, types, chunks with their summaries, entities."""
        text = _Text(seed=1)
        for number in range(self._documents):
            name = f"text_{self._hash(number)}"
            yield _id(1, number), name, "TextDocument", _document(number, self._hash(number))
        for number in range(self._types):
            name = text.word()
            yield _id(2, number), name, "EntityType", _properties(number, _ENTITY_TYPE, description=name)
        for number in range(self._chunks):
            owner = number % self._documents
            chunk = {"chunk_index": number, "chunk_size": 220, "cut_type": "sentence_end"}
            yield (
                _id(3, number),
                "",
                "DocumentChunk",
                _properties(
                    number,
                    _CHUNK,
                    **chunk,
                    document_id=_id(1, owner),
                    document_name=f"text_{self._hash(owner)}",
                    source_content_hash=self._hash(owner),
                    text=text.sentences(220),
                ),
            )
        for number in range(self._summaries):
            summary = {"source_chunk_id": _id(3, number), "source_content_hash": self._hash(number % self._documents)}
            yield _id(4, number), "", "TextSummary", _properties(number, _SUMMARY, **summary, text=text.sentences(25))
        for number in range(self._entities):
            name = f"{text.word()} {text.word()}"
            yield _id(5, number), name, "Entity", _properties(number, _ENTITY, description=text.sentences(12))

    def edges(self) -> Iterator[EdgeRow]:
        """Every chunk, summary and entity where it belongs, mentions, and relations among entities."""
        text = _Text(seed=2)
        pick = random.Random(3)
        for number in range(self._chunks):
            yield _edge(_id(3, number), _id(1, number % self._documents), "is_part_of", text.sentences(16))
        for number in range(self._summaries):
            yield _edge(_id(4, number), _id(3, number), "made_from", text.sentences(20))
        for number in range(self._entities):
            kind = int(self._types * pick.random() ** 2)
            yield _edge(_id(5, number), _id(2, kind), "is_a", f"{text.word()} {text.word()} is a {text.word()}.")
        rest = self.num_edges - self._chunks - self._summaries - self._entities
        mentions = rest * 5 // 8
        for number in range(mentions):
            entity = int(self._entities * pick.random() ** 1.5)
            mention = f"Document chunk mentions {text.word()} {text.word()}: {text.sentences(12)}"
            yield _edge(_id(3, number % self._chunks), _id(5, entity), "contains", mention)
        for number in range(rest - mentions):
            ends = _id(5, number % self._entities), _id(5, int(self._entities * pick.random() ** 1.5))
            relationship = _RELATIONSHIPS[int(len(_RELATIONSHIPS) * pick.random() ** 2)]
            yield _edge(*ends, relationship, text.sentences(9))

    @property
    def _documents(self) -> int:
        return max(1, round(self.num_nodes * _DOCUMENTS))

    @property
    def _types(self) -> int:
        return max(1, round(self.num_nodes * _TYPES))

    @property
    def _chunks(self) -> int:
        return round(self.num_nodes * _CHUNKS)

    @property
    def _summaries(self) -> int:
        return round(self.num_nodes * _SUMMARIES)

    @property
    def _entities(self) -> int:
        return self.num_nodes - self._documents - self._types - self._chunks - self._summaries

    @staticmethod
    def _hash(number: int) -> str:
        return _id(9, number).replace("-", "")


# The properties that Cognee 1.6.5 stores with every node of a type, in its order.
_COMMON: Mapping[str, object] = {
    "ontology_valid": False,
    "ontology_uri": None,
    "version": 1,
    "topological_rank": 0,
    "metadata": {"index_fields": ["name"], "identity_fields": ["name"]},
    "belongs_to_set": None,
    "source_pipeline": "cognify_pipeline",
    "source_task": "extract_graph_from_data",
    "source_node_set": None,
    "source_user": "default_user@example.com",
    "source_content_hash": None,
    "feedback_weight": 0.5,
    "importance_weight": 0.5,
}
_TEXT = {"metadata": {"index_fields": ["text"]}, "valid_to": None}
_ENTITY_TYPE: Mapping[str, object] = {**_COMMON, "relations": []}
_ENTITY: Mapping[str, object] = {
    **_COMMON,
    "is_a": None,
    "relations": [],
    "truth_alignment": None,
    "truth_subspace_signature": None,
    "truth_epoch": None,
    "conflicts_reviewed_at": None,
}
_CHUNK = {**_COMMON, **_TEXT, "source_task": "extract_chunks_from_documents", "truth_alignment": None}
_SUMMARY = {**_COMMON, **_TEXT, "source_task": "extract_graph_and_summarize", "summarized_in": None}
_DOCUMENT = {**_COMMON, "source_task": "classify_documents", "external_metadata": "{}", "mime_type": "text/plain"}


def _document(number: int, content_hash: str) -> str:
    return _properties(number, {**_DOCUMENT, "raw_data_location": None}, source_content_hash=content_hash)


def _properties(number: int, common: Mapping[str, object], **own: object) -> str:
    stamp = _EPOCH_MILLISECONDS + number * 7
    return json.dumps({"created_at": stamp, "updated_at": stamp, **common, **own})


def _edge(source: str, target: str, relationship: str, text: str) -> EdgeRow:
    properties = {
        "relationship_name": relationship,
        "source_system": "cognee",
        "source_external_id": f"{source}:{relationship}:{target}",
        "edge_text": text,
        "edge_object_id": source[:18] + target[18:],
        "feedback_weight": 0.5,
    }
    return source, target, relationship, json.dumps(properties)


def _id(kind: int, number: int) -> str:
    """A UUID that looks random, and is the same every time."""
    text = md5(b"%d:%d" % (kind, number), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-a{text[17:20]}-{text[20:]}"


class _Text:
    """Sentences of made-up words; frequent words are frequent, as in a language.

    Words are drawn once and texts cut out of them anywhere: much faster, and beyond what a compressor looks back.
    """

    def __init__(self, *, seed: int) -> None:
        draw = random.Random(seed)
        vocabulary = ["".join(draw.choices(_SYLLABLES, k=draw.choice((1, 2, 2, 3)))) for _ in range(20_000)]
        weights = list(accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
        self._words = draw.choices(vocabulary, cum_weights=weights, k=_WORDS_DRAWN)
        self._random = draw.random

    def word(self) -> str:
        return self._words[int(self._random() * _WORDS_DRAWN)].capitalize()

    def sentences(self, words: int) -> str:
        """As many words, in sentences of a dozen, in paragraphs of five."""
        first = int(self._random() * (_WORDS_DRAWN - words))
        starts = range(first, first + words, 12)
        parts = [" ".join(self._words[start : min(start + 12, first + words)]).capitalize() for start in starts]
        return ".\n".join(". ".join(parts[start : start + 5]) for start in range(0, len(parts), 5)) + "."
