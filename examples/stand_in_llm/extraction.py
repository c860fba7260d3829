"""Rules that find a small knowledge graph in plain English: capitalised names, "X is a Y", "X verb Y".

No language model and no match for one; the same text always gives the same graph, at no cost and without a network.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

UNTYPED = "Concept"
_MAX_VERB_WORDS = 5
_MAX_TYPE_WORDS = 3

_MARKDOWN_BLOCK = re.compile(r"^\s*(?:#{1,6}\s+.*|```.*|[-*_]{3,}\s*)$")
_MARKDOWN_PREFIX = re.compile(r"^\s*(?:[-*+>]|\d+[.)])\s+")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKDOWN_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_TOKEN = re.compile(r"[^\W_][\w'\u2019&/-]*|[^\w\s]")

_ARTICLES = frozenset({"a", "an", "the"})
_PRONOUNS = frozenset({"it", "he", "she", "they"})
# Words that begin a sentence with a capital and are no names.
_SENTENCE_OPENERS = frozenset(
    {"a", "after", "all", "an", "and", "any", "as", "at", "because", "before", "both", "but", "by", "during", "each"}
    | {"every", "for", "from", "he", "her", "his", "how", "i", "if", "in", "it", "its", "many", "most", "no", "not"}
    | {"of", "on", "once", "one", "only", "our", "she", "since", "so", "some", "that", "the", "their", "then", "there"}
    | {"these", "they", "this", "those", "to", "until", "we", "what", "when", "where", "which", "while", "who", "you"}
)
_BEING = frozenset({"is", "are", "was", "were"})
_CONJUNCTIONS = frozenset({",", "and", "or"})
_RELATIVES = frozenset({"that", "which", "who"})
_PREPOSITIONS = frozenset({"as", "at", "by", "for", "from", "in", "into", "of", "on", "over", "to", "under", "with"})
_TYPE_ENDS = _PREPOSITIONS | _RELATIVES | {"and", "or", "so", "used", "where", "whose"}


@dataclass(frozen=True, kw_only=True)
class Relation:
    """One found fact: ``source`` and ``target`` are names, ``sentence`` says where it was found."""

    source: str
    relationship: str
    target: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What the rules found in one text.

    Attributes:
        types: Each name's type, in order of appearance.
        mentions: Each name's first sentence.
        relations: The facts, each once.
        sentences: The text's sentences without Markdown.
    """

    types: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, str] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Mention:
    name: str
    start: int  # tokens [start, end)
    end: int


def extract(text: str) -> Extraction:
    """Names, their types and the relations between them in an English text, plain or Markdown."""
    types: dict[str, str] = {}
    mentions: dict[str, str] = {}
    relations: dict[tuple[str, str, str], Relation] = {}
    sentences = tuple(split_sentences(text))
    subject: str | None = None  # what "it" or "she" at the start of a sentence speaks of
    for sentence in sentences:
        tokens = _TOKEN.findall(sentence)
        found = _find_mentions(tokens, subject=subject)
        for mention in found:
            types.setdefault(mention.name, UNTYPED)
            mentions.setdefault(mention.name, sentence)
        if found:
            subject = found[0].name
            if (kind := _stated_type(tokens, found[0])) and types[subject] == UNTYPED:
                types[subject] = kind
        for relation in _find_relations(tokens, found, sentence=sentence):
            relations.setdefault((relation.source, relation.relationship, relation.target), relation)
    return Extraction(types=types, mentions=mentions, relations=tuple(relations.values()), sentences=sentences)


def split_sentences(text: str) -> Iterator[str]:
    """The sentences of a text; Markdown headings and rules are left out, links and emphasis reduced to words."""
    lines = []
    for line in text.splitlines():
        if _MARKDOWN_BLOCK.match(line) or not line.strip():
            lines.append("\n")
        elif item := _MARKDOWN_PREFIX.match(line):
            lines.append("\n" + line[item.end() :])
        else:
            lines.append(line)
    prose = " ".join(lines)
    prose = _MARKDOWN_EMPHASIS.sub("", _MARKDOWN_LINK.sub(r"\1", prose))
    for sentence in _SENTENCE_END.split(prose):
        if words := " ".join(sentence.split()):
            yield words


def _find_mentions(tokens: list[str], *, subject: str | None) -> list[_Mention]:
    found = []
    position = 0
    if subject is not None and tokens and tokens[0].lower() in _PRONOUNS:
        found.append(_Mention(name=subject, start=0, end=1))
        position = 1
    while position < len(tokens):
        end = position
        while end < len(tokens) and _is_name_part(tokens[end], first=end == 0):
            end += 1
        if end > position:
            found.append(_Mention(name=" ".join(tokens[position:end]), start=position, end=end))
        position = max(end, position + 1)
    return found


def _is_name_part(token: str, *, first: bool) -> bool:
    return token[0].isupper() and not (first and token.lower() in _SENTENCE_OPENERS)


def _stated_type(tokens: list[str], mention: _Mention) -> str | None:
    """The type in "X is a message broker that …": the words up to the first preposition or punctuation."""
    after = [token.lower() for token in tokens[mention.end : mention.end + 2]]
    if len(after) < 2 or after[0] not in _BEING or after[1] not in _ARTICLES:
        return None
    words = []
    for token in tokens[mention.end + 2 :]:
        if not token[0].isalpha() or token.lower() in _TYPE_ENDS or token[0].isupper():
            break
        words.append(token)
    return " ".join(words[-_MAX_TYPE_WORDS:]).title() or None


def _find_relations(tokens: list[str], found: list[_Mention], *, sentence: str) -> Iterator[Relation]:
    """Each name and the next one, joined by the words in between; "A owns B and C" is two facts about A."""
    source: str | None = None
    verb: str | None = None
    for left, right in pairwise(found):
        between = [token.lower() for token in tokens[left.end : right.start]]
        if verb is not None and source is not None and _is_list_join(between):
            pass
        elif verb := _relationship(between):
            source = left.name
        else:
            source = None
        if source is not None and verb is not None and source != right.name:
            yield Relation(source=source, relationship=verb, target=right.name, sentence=sentence)


def _is_list_join(between: list[str]) -> bool:
    return bool(between) and all(word in _CONJUNCTIONS or word in _ARTICLES for word in between)


def _relationship(between: list[str]) -> str | None:
    """``["is", "the", "lead", "of"]`` -> ``is_lead_of``; None unless it is a few words that could be a verb phrase."""
    clauses = [position for position, word in enumerate(between[:-1]) if word in _RELATIVES]
    words = [word for word in between[clauses[-1] + 1 if clauses else 0 :] if word not in _ARTICLES]
    if not words or len(words) > _MAX_VERB_WORDS or words[0] in _CONJUNCTIONS | _PREPOSITIONS:
        return None
    if not all(word[0].isalpha() for word in words):
        return None
    return "_".join(re.sub(r"[^a-z0-9]+", "_", word).strip("_") for word in words)
