"""Whether a server imports COGX archives, asked before anything is uploaded."""

import logging
from dataclasses import dataclass

from cognee_dagster.errors import CogxUnsupportedError, RemoteError, RemoteUnreachableError
from cognee_dagster.remote.api_offer import ApiOffer, parse_api_offer
from cognee_dagster.remote.compat import imports_faithfully
from cognee_dagster.remote.responses import parse_health
from cognee_dagster.remote.session import Session


@dataclass(frozen=True, kw_only=True)
class Server:
    """What a server says of itself.

    Attributes:
        version: Cognee's version as it spells it; empty where it does not say, or cannot be asked.
        offer: What its API offers; None where it does not say.
    """

    version: str = ""
    offer: ApiOffer | None = None


class ServerCheck:
    """Asks a server what it is. Once it has said all of that, it is not asked again: its description is large, and a
    mirror may send it a hundred archives.
    """

    def __init__(self, session: Session, *, log: logging.Logger) -> None:
        self._session = session
        self._log = log
        self._known: Server | None = None

    def require(self, *, must_know: bool) -> Server:
        """The server, if it imports archives under the ids they have; see ``CogneeClient.require_cogx``."""
        if self._known is not None:
            return self._known
        found = _require_cogx(self._session, must_know=must_know, log=self._log)
        if found.version and found.offer is not None:
            self._known = found
        return found


def _require_cogx(session: Session, *, must_know: bool, log: logging.Logger) -> Server:
    url = session.connection.url
    version: str | None = None
    try:
        version = session.ask("GET", "/health", what="asking for its health", parse=parse_health).version
    except RemoteUnreachableError:
        raise
    except RemoteError as error:
        if must_know:
            raise
        log.warning("The version of %s cannot be checked before the upload; its answer will show: %s", url, error)
    offer = _offer(session, log=log)
    if version is not None and not imports_faithfully(version, offer):
        raise _unsupported(url, version, "COGX archives are imported with their ids kept since Cognee 1.3.0")
    if offer is not None and not offer.imports_archives:
        raise _unsupported(url, version or "", "its POST /api/v1/remember has no import_mode")
    return Server(version=version or "", offer=offer)


def _offer(session: Session, *, log: logging.Logger) -> ApiOffer | None:
    try:
        return session.ask("GET", "/openapi.json", what="asking which uploads it takes", parse=parse_api_offer)
    except RemoteUnreachableError:
        raise
    except RemoteError as error:
        log.debug("No API description, so the version decides: %s", error)
        return None


def _unsupported(url: str, version: str, reason: str) -> CogxUnsupportedError:
    named = f"Cognee {version}" if version else "a Cognee that does not say its version"
    return CogxUnsupportedError(
        f"{url} runs {named}, which cannot import COGX archives faithfully: {reason}. "
        "Nothing was uploaded. Upgrade the remote instance, or use cognee.sync()/remember() with raw data."
    )
