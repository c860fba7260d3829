"""Which proxy leads to a remote: what the environment names, checked before it is used.

As ``urllib`` and ``httpx`` read them: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, in lower case
first. This machine itself is never reached through a proxy, whatever they say: a proxy elsewhere cannot reach this
machine's loopback, and would see the key.
"""

import importlib.util
import ipaddress
import os
import re
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpcore
import httpx

from cognee_dagster.errors import ConnectionConfigError
from cognee_dagster.remote.connection import Connection

_SCHEMES = ("http", "https", "socks5", "socks5h")
_NO_PROXY_ENTRY = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?\*?\.?(?P<host>\[[0-9a-f:.]+\]|[^\s\[\]]+?)(?::(?P<port>\d+))?"
)


def proxy_for(connection: Connection) -> httpcore.Proxy | None:
    """The proxy on the way to a remote; None: there is none.

    Raises:
        ConnectionConfigError: The environment names one that cannot be used; the message says where, without its
            password.
    """
    if connection.is_loopback:
        return None
    proxies = getproxies()
    scheme = urlsplit(connection.url).scheme
    name = next((name for name in (scheme, "all") if proxies.get(name)), None)
    if name is None or _is_excepted(connection, proxies.get("no", "")):
        return None
    return _usable(proxies[name], variable=_variable(name))


def _usable(text: str, *, variable: str) -> httpcore.Proxy:
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
        shown = f"{url.scheme}://{url.host}" + (f":{url.port}" if url.port else "")
    except (httpx.InvalidURL, ValueError):  # its text may repeat a password
        raise _unusable(variable, "not an address like http://proxy.example.com:3128") from None
    if url.scheme not in _SCHEMES or not url.host:
        raise _unusable(variable, f"{shown}, and a proxy's address begins with one of {', '.join(_SCHEMES)}")
    if url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise _unusable(variable, f"{shown}, and a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'")
    auth = (url.username.encode(), url.password.encode()) if url.username or url.password else None
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore.Proxy(target, auth=auth)


def _is_excepted(connection: Connection, no_proxy: str) -> bool:
    """Whether ``NO_PROXY`` names the remote: its name, a domain above it, its address or network; ``*`` is all."""
    parts = urlsplit(connection.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for entry in filter(None, (entry.strip().lower() for entry in no_proxy.split(","))):
        if entry == "*":
            return True
        match = _NO_PROXY_ENTRY.fullmatch(entry) if not _network(entry) else None
        if match is None and not _network(entry):
            raise _unusable(_variable("no"), f"{entry!r} in its list, which is neither a host nor a network")
        host = match["host"] if match else entry
        if match and match["scheme"] not in (None, "all", parts.scheme):
            continue
        if match and match["port"] and int(match["port"]) != port:
            continue
        if _covers(host, connection.host.lower()):
            return True
    return False


def _covers(entry: str, host: str) -> bool:
    network, address = _network(entry), _network(host)
    if network is not None and address is not None:
        return network.version == address.version and address.subnet_of(network)  # type: ignore[arg-type]
    return host == entry or host.endswith(f".{entry}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text[1:-1] if text[:1] + text[-1:] == "[]" else text, strict=False)
    except ValueError:
        return None


def _variable(name: str) -> str:
    """The variable that says so, as it is spelled in the environment."""
    spellings = [f"{name}_proxy", f"{name}_PROXY".upper()]
    found = next((spelling for spelling in spellings if os.environ.get(spelling)), spellings[1])
    return found if found.isupper() else f"{found} (or {found.upper()})"


def _unusable(variable: str, problem: str) -> ConnectionConfigError:
    return ConnectionConfigError(
        f"The proxy settings of the environment cannot be used: {variable} has {problem}. Correct or unset it, or name "
        "the remote's host in NO_PROXY."
    )
