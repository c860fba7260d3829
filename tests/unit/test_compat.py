"""Which way of importing in the background works on which release."""

import pytest

from cognee_dagster.errors import BackgroundUnsupportedError, InvalidPushError
from cognee_dagster.remote import compat
from cognee_dagster.remote.api_offer import ApiOffer
from cognee_dagster.remote.compat import Strategy, choose_background_strategy, imports_faithfully, parse_release


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("1.6.5", (1, 6, 5)),
        ("1.6", (1, 6, 0)),
        ("v2.10.3", (2, 10, 3)),
        (" 1.6.5-local ", (1, 6, 5)),
        ("1.7.0rc1", (1, 7, 0)),
        ("", None),
        ("unknown", None),
    ],
)
def test_a_version_is_read_as_health_may_spell_it(version: str, release: tuple[int, int, int] | None) -> None:
    assert parse_release(version) == release


@pytest.mark.parametrize(
    ("version", "faithful"),
    [
        ("1.0.0", False),
        ("1.1.3", False),
        ("1.2.0", False),
        ("1.3.0", True),
        ("1.6.5", True),
        ("2.0.0", True),
        ("", False),
    ],
)
def test_graphs_are_copied_faithfully_since_1_3_0(version: str, faithful: bool) -> None:
    assert imports_faithfully(version) is faithful


@pytest.mark.parametrize("version", ["1.5.4", "1.6.0", "1.6.5", "1.7.0", "2.0.0"])
def test_preserve_is_detached_because_that_arrives(version: str) -> None:
    assert choose_background_strategy(version, mode="preserve") is Strategy.DETACHED
    assert choose_background_strategy(version, mode="preserve", requested="detached") is Strategy.DETACHED


@pytest.mark.parametrize("mode", ["hybrid", "re-derive"])
def test_what_cognifies_uses_the_servers_own_background(mode: str) -> None:
    assert choose_background_strategy("1.6.5", mode=mode) is Strategy.NATIVE
    assert choose_background_strategy("1.6.5", mode=mode, requested="native") is Strategy.NATIVE


@pytest.mark.parametrize("mode", ["hybrid", "re-derive"])
def test_what_cognifies_cannot_be_detached(mode: str) -> None:
    with pytest.raises(BackgroundUnsupportedError, match="auto or native"):
        choose_background_strategy("1.6.5", mode=mode, requested="detached")


@pytest.mark.parametrize("version", ["1.3.0", "1.5.3", "", "main"])
@pytest.mark.parametrize("mode", ["preserve", "hybrid"])
@pytest.mark.parametrize("requested", ["auto", "detached", "native"])
def test_a_server_that_cannot_be_watched_gets_no_background_import(version: str, mode: str, requested: str) -> None:
    with pytest.raises(BackgroundUnsupportedError, match=r"since 1\.5\.4.*run_in_background=False"):
        choose_background_strategy(version, mode=mode, requested=requested)


@pytest.mark.parametrize("version", ["1.5.4", "1.6.5", "1.6.6rc1", "1.6.6.dev3", "1.6.6-alpha"])
def test_the_native_background_preserve_is_refused_where_it_is_known_to_fail(version: str) -> None:
    with pytest.raises(BackgroundUnsupportedError, match=r"FileNotFoundError.*detached"):
        choose_background_strategy(version, mode="preserve", requested="native")


def test_the_native_background_preserve_may_be_asked_of_a_release_not_looked_at() -> None:
    assert choose_background_strategy("1.6.6", mode="preserve", requested="native") is Strategy.NATIVE


def test_a_release_that_repairs_the_native_background_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "NATIVE_PRESERVE_SINCE", (1, 6, 6))

    assert choose_background_strategy("1.6.6", mode="preserve") is Strategy.NATIVE
    assert choose_background_strategy("1.6.6", mode="preserve", requested="detached") is Strategy.DETACHED
    assert choose_background_strategy("1.6.5", mode="preserve") is Strategy.DETACHED


@pytest.mark.parametrize("version", ["1.3.0rc1", "1.3.0.dev0", "1.3.0a2", "1.3.0-beta"])
def test_a_pre_release_is_older_than_its_release(version: str) -> None:
    assert not imports_faithfully(version)
    assert imports_faithfully("1.3.0.post1")
    assert imports_faithfully("1.3.0-local")


def test_a_pre_release_of_the_one_that_repairs_the_native_background_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "NATIVE_PRESERVE_SINCE", (1, 7, 0))
    assert choose_background_strategy("1.7.0rc1", mode="preserve") is Strategy.DETACHED
    assert choose_background_strategy("1.7.0", mode="preserve") is Strategy.NATIVE


NEW, OLD = ApiOffer(imports_archives=True, filters_runs=True), ApiOffer(imports_archives=True, filters_runs=False)


@pytest.mark.parametrize("version", ["0.1.0-local", "", "unknown", "main"])
def test_a_version_that_says_nothing_is_judged_by_what_the_api_offers(version: str) -> None:
    """Cognee takes its version from a pyproject.toml above it, which may be anybody's."""
    assert imports_faithfully(version, NEW)
    assert not imports_faithfully(version, OLD), "it may be 1.2.0, which makes another graph of it"
    assert not imports_faithfully(version)
    assert choose_background_strategy(version, mode="preserve", offer=NEW) is Strategy.DETACHED
    with pytest.raises(BackgroundUnsupportedError):
        choose_background_strategy(version, mode="preserve", offer=OLD)
    with pytest.raises(BackgroundUnsupportedError, match="FileNotFoundError"):
        choose_background_strategy(version, mode="preserve", requested="native", offer=NEW)


def test_a_version_that_says_something_is_believed_whatever_the_api_offers() -> None:
    assert not imports_faithfully("1.2.0", NEW)
    assert not imports_faithfully("0.5.0", NEW)


@pytest.mark.parametrize("version", ["1" * 5000, "1." + "6" * 5000 + ".5", "1.6." + "5" * 5000])
def test_a_version_of_thousands_of_digits_is_read_within_bounds(version: str) -> None:
    assert parse_release(version) in (None, (1, 666666, 0), (1, 6, 555555))


@pytest.mark.parametrize("version", ["1.3.0", "1.6.5", ""])
def test_the_foreground_can_always_be_had(version: str) -> None:
    assert choose_background_strategy(version, mode="preserve", requested="foreground") is Strategy.FOREGROUND


def test_a_strategy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidPushError, match="auto, detached, native, foreground"):
        choose_background_strategy("1.6.5", mode="preserve", requested="bogus")
