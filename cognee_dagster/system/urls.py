"""URLs as people write them down: whether one is a server's address, or holds what nobody else may see."""

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

# Query keys of URLs that are signed, or that carry a key: Azure's, Amazon's and Google's, and what others call theirs.
_SECRET_KEYS = frozenset(
    {
        *("sig", "signature", "x-amz-signature", "x-amz-security-token", "x-goog-signature", "sas"),
        *("key", "api_key", "apikey", "api-key", "access_key", "secret", "client_secret", "password", "passwd", "pwd"),
        *("token", "access_token", "auth_token", "auth", "authorization", "jwt"),
    }
)
MASK = "***"
_PLACEHOLDERS = ("${", "{{")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_CHAINED = "::"  # as in simplecache::https://…, of fsspec


def secret_in_url(value: Any) -> str | None:
    """What of a text may not be seen, without repeating it; None where it is no URL, or holds no secret.

    A user name alone is one in an ``http`` URL only: elsewhere it is an account (``sftp``) or a container (``abfs``).
    """
    if not isinstance(value, str):
        return None
    for url in value.split(_CHAINED):
        if "://" not in url:
            continue
        scheme, _, rest = url.partition("://")
        user, at, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
        if at and (":" in user or scheme.lower() in ("http", "https")):
            return "a user name or password"
        try:
            query = urlsplit(url).query
        except ValueError:
            query = url.partition("?")[2]
        for name, _ in parse_qsl(query, keep_blank_values=True):
            if name.lower() in _SECRET_KEYS:
                return f"a signature or key ({name.lower()}=…)"
    return None


def hidden_parts(url: str) -> dict[str, str]:
    """What of a URL nobody else may see, with what is shown instead; in doubt more, as passwords may be any text.

    That is who logs in (unless it is a name alone, as ``secret_in_url`` has it), and what is asked behind the path.
    """
    schemes, is_one, rest = url.partition("://")
    if not is_one:
        return {}
    before, at, after = rest.rpartition("@")
    if at and re.search(r"[?#]", before):
        return {rest: MASK}
    is_name = ":" not in before.partition("/")[0]
    is_path = is_name and "/" in before
    if not at or is_path or (is_name and schemes.rpartition(_CHAINED)[2].lower() not in ("http", "https")):
        before, at, after = "", "", rest
    hidden = {before + at: MASK + at} if at else {}
    is_web = schemes.rpartition(_CHAINED)[2].lower() in ("http", "https")
    if asked := re.search(r"[?#].+" if is_web else r"\?.+", after, re.DOTALL):
        hidden[asked[0]] = asked[0][0] + MASK
    return hidden


def shown_url(url: str) -> str:
    """A URL as everybody may see it."""
    for part, shown in hidden_parts(url).items():
        url = url.replace(part, shown)
    return url


def address_problem(url: str) -> str | None:
    """Why a text is no base address of a server, as the end of a sentence; None where it is one.

    The text is not repeated: it may hold a password.
    """
    text = url.strip()
    if not text:
        return "is blank"
    if any(mark in text for mark in _PLACEHOLDERS):
        return "has a placeholder in it, such as ${…} or {{ … }}, that nothing has filled in"
    parts = _server_in(text)
    if parts is None:
        without = "" if "://" in text else ": it has no https:// or http:// in front"
        return f"is not an address like https://cognee.example.com{without}"
    if parts.username is not None or parts.password is not None:
        return "has a user name or password in it; Cognee wants an API key"
    if parts.query or parts.fragment:
        return "has a query or fragment; give the server's base address only"
    return None


def _server_in(text: str) -> SplitResult | None:
    """The parts of an address of a server; None where the text is none."""
    try:
        parts = urlsplit(text)
        has_port = parts.port != 0
    except ValueError:
        return None
    is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and has_port
    return parts if is_one and text.isprintable() and " " not in text else None


def base_address(url: str) -> str:
    """An address as it is compared: without a slash at its end and its scheme's own port, with the host in lower case.

    Of what is no address, the text itself.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    netloc = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
    return parts._replace(netloc=netloc).geturl().rstrip("/")
