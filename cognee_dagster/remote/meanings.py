"""What a Cognee server's refusals and failures mean, and what to do about them: the one table of it.

Measured on Cognee 1.6.5, which says little by itself: an HTTP status with a general sentence while it answers, and the
class of the exception for an import that failed later.
"""

from collections.abc import Mapping

# 429 and what gateways answer when the server behind them does not; 520-530 are Cloudflare's, which sits before hosted
# instances (525 and 526: TLS between it and the server; 530: it cannot resolve the server).
RETRYABLE_STATUSES = frozenset({408, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530})

# Of a request that may be repeated whatever came of it, a read or a deletion: Cognee 1.6.5 was seen to fail one of each
# with a 500 in hours of use, for a reason that thousands of tries did not show.
REPEATABLE_STATUSES = RETRYABLE_STATUSES | {500}
READS = frozenset({"GET"})  # repeated without a word; of other methods, who asks says whether that does no harm

SERVERS_WORDS = " The answer is: "  # what a server says stands behind this, at the end of a message
OVERLOADED = "The server, or a proxy before it, is overloaded, starting or down; try again later."
# Neither answer says that it was one of these; what to do then is in docs/mirrors.md, "Before you mirror".
_DATABASE_FULL = (
    ' Where it says "Maximum database size", set KUZU_MAX_DB_SIZE there; where "UNREACHABLE_CODE", the graph database '
    "is damaged, and a push with on_removed replace makes it anew (docs/mirrors.md)."
)
_NOT_THE_BASE_ADDRESS = "Check that the URL is the server's base address and that the server is a Cognee."

STATUS_MEANS: Mapping[int, str] = {
    400: "Correct the request; trying again will not help.",
    403: "The key's user has no right to this, or it does not exist (any more): Cognee answers both alike.",
    404: _NOT_THE_BASE_ADDRESS,
    405: _NOT_THE_BASE_ADDRESS,
    409: "Cognee answers this when an archive arrived incomplete or its import failed; its log says which."
    + _DATABASE_FULL,
    413: "A proxy before the server limits the size of uploads (nginx: client_max_body_size): raise that limit.",
}
SERVER_FAILED = f"The server failed; its log says why.{_DATABASE_FULL}"
INVALID_ARCHIVE = "Invalid COGX archive"  # what the server says, of any reason
INVALID_ARCHIVE_MEANS = (
    "`cognee-dagster validate ARCHIVE` tells what is wrong with an archive; so does the server's log."
)

ABANDONED = "AbandonedPipelineRunError"
ERROR_CLASS_MEANS: Mapping[str, str] = {
    "FileNotFoundError": (
        "the server deleted the archive before its own background import read it, as every Cognee up to 1.6.5 does. "
        "Push with background_strategy auto or detached, or in the foreground"
    ),
    ABANDONED: "the server died or was restarted while it imported. Push again: what is there already is kept",
    "IngestionError": (
        "a document of the archive belongs to another dataset of that server, where document ids are unique (re-derive "
        "works for one dataset a server). Delete it there, or leave documents out"
    ),
    "NotFoundError": "the server's language model is not there; a sandbox has none without LLM_API_KEY. Repair it "
    "there, or push in mode preserve",
    "InternalServerError": "the server's language model does not answer. Repair it there, or push in mode preserve",
}

PERMANENT_ERROR_CLASSES = frozenset({"FileNotFoundError", "IngestionError"})
"""After which pushing the same again cannot help."""

_FOREIGN_DOCUMENT = (
    "A document of this archive already belongs to another dataset of that server, and document ids are unique over a "
    "whole Cognee server. "
)
UPLOAD_REFUSED_MEANS: Mapping[tuple[str, int], str] = {  # by mode and status; what is imported already differs
    ("preserve", 415): _FOREIGN_DOCUMENT + "The graph was not imported into {target!r}. Delete the other dataset or "
    "the document there, and push again.",
    ("hybrid", 415): _FOREIGN_DOCUMENT + "The graph itself has been imported into {target!r}; its raw content has not "
    "been cognified. Delete the other dataset or the document there, and push again.",
    ("hybrid", 422): "The graph itself has been imported into {target!r}; cognifying its raw content failed, which "
    "needs a working LLM on the remote. Repair the remote's LLM settings and push again, or push in mode 'preserve'.",
    ("re-derive", 415): "In mode 're-derive' Cognee stores digests of entities and facts under ids that are the same "
    "for every dataset, so only the first dataset that is ever pushed this way into a server is accepted. Nothing has "
    "been built in {target!r}. Push in mode 'preserve' or 'hybrid', or delete the dataset that was re-derived first.",
    ("re-derive", 422): "Nothing has been built in {target!r}: re-deriving needs a working LLM on the remote. Repair "
    "the remote's LLM settings and push again, or push in mode 'preserve'.",
}
