"""Which proxy is used: never one to this machine itself, and never one that makes no sense without a word."""

import sys
import traceback

import pytest
from pydantic import SecretStr

from cognee_dagster.errors import ConnectionConfigError
from cognee_dagster.remote.connection import Connection
from cognee_dagster.remote.proxies import proxy_for

PASSWORD = "pw_marker_0123456789"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
FAR = Connection(url="https://cognee.example.com:8443", api_key=SecretStr("k"))


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_variables_there_is_none() -> None:
    assert proxy_for(FAR) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "https://127.8.8.8"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "http://proxy.example.com:3128"),
        ("ALL_PROXY", "socks5://proxy.example.com"),
        ("ALL_PROXY", "nonsense://["),
        ("NO_PROXY", "[::1]"),
        ("NO_PROXY", "[::1"),
    ],
)
def test_this_machine_is_never_reached_through_a_proxy_whatever_the_variables_say(
    url: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert proxy_for(Connection(url=url)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", "http://p.example:3128"), ("https_proxy", "p.example:3128"), ("ALL_PROXY", "https://p.example")],
)
def test_the_one_for_its_scheme_or_for_all_is_used(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    proxy = proxy_for(FAR)
    assert proxy is not None
    assert proxy.url.host == b"p.example"


def test_its_user_and_password_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@p.example:3128")
    proxy = proxy_for(FAR)
    assert proxy is not None
    assert proxy.auth == (b"me", PASSWORD.encode())


@pytest.mark.parametrize(
    "value",
    ["*", "cognee.example.com", ".example.com", "*.example.com", "example.com", "x, EXAMPLE.com ,y", "https://example.com",
     "cognee.example.com:8443"],
)  # fmt: skip
def test_no_proxy_excepts_a_host_and_its_domain(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example")
    monkeypatch.setenv("NO_PROXY", value)
    assert proxy_for(FAR) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ample.com",
        "other.example.com",
        "http://example.com",
        "cognee.example.com:443",
        "[::1]",
        "::1",
        "10.0.0.0/8",
    ],
)
def test_no_proxy_excepts_nothing_else(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example")
    monkeypatch.setenv("NO_PROXY", value)
    assert proxy_for(FAR) is not None


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://10.1.2.3", "10.0.0.0/8"),
        ("https://10.1.2.3", "10.1.2.3"),
        ("https://[2001:db8::7]", "2001:db8::/32"),
        ("https://[2001:db8::7]", "[2001:db8:0::7]"),
        ("https://[2001:db8::7]:8443", "[2001:db8::7]:8443"),
    ],
)
def test_no_proxy_excepts_addresses_and_networks(url: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example")
    monkeypatch.setenv("NO_PROXY", value)
    assert proxy_for(Connection(url=url)) is None


@pytest.mark.parametrize(
    ("name", "value", "entry"),
    [
        ("HTTPS_PROXY", f"gopher://me:{PASSWORD}@p.example", "gopher://p.example"),
        ("https_proxy", f"http://me:{PASSWORD}@[::1", "not an address"),
        ("ALL_PROXY", f"http://me:{PASSWORD}@p.example:port", "not an address"),
        ("HTTPS_PROXY", f"http://me:{PASSWORD}@", "http://"),
        ("NO_PROXY", "fine.example, [::1", "'[::1'"),
        ("NO_PROXY", "two words", "'two words'"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_with_its_entry_and_without_a_password(
    name: str, value: str, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p.example")
    monkeypatch.setenv(name, value)
    if name == "ALL_PROXY":
        monkeypatch.delenv("HTTPS_PROXY")
    with pytest.raises(ConnectionConfigError) as caught:
        proxy_for(FAR)
    assert name in str(caught.value)
    assert entry in str(caught.value)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_socks_proxy_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://p.example:1080")
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConnectionConfigError, match=r"ALL_PROXY .*socks5://p\.example:1080.*socksio"):
        proxy_for(FAR)
