"""Whether a server has the language model that modes hybrid and re-derive need, as far as it lets that be known."""

import msgspec

from cognee_dagster.environment import NO_LANGUAGE_MODEL
from cognee_dagster.errors import RemoteError
from cognee_dagster.remote.session import Session


class _LanguageModel(msgspec.Struct, frozen=True):
    endpoint: str | None = None


class _Settings(msgspec.Struct, frozen=True):
    llm: _LanguageModel


def lacks_language_model(session: Session) -> bool:
    """Whether the server is a sandbox that was started without one (``GET /api/v1/settings``, Cognee 1.6.5).

    Of any other server nothing is known before it fails: the settings of one that has none look like those of one whose
    model needs no key, and ``/health/detailed`` takes up to half a minute and is wrong.
    """
    try:
        endpoint = session.ask("GET", "/api/v1/settings", what="asking for its language model", parse=parse_endpoint)
    except RemoteError:
        return False
    return NO_LANGUAGE_MODEL in endpoint


def parse_endpoint(body: bytes | bytearray) -> str:
    """The address of a server's language model, of its settings; empty where it has none of its own."""
    return msgspec.json.decode(body, type=_Settings).llm.endpoint or ""
