"""The variables as Cognee sees them, where each came from, and what is said of a ``.env`` that cannot be read."""

import codecs
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values

from cognee_dagster.environment import VariableSource, cognee_environment, source_of
from cognee_dagster.errors import DatasetPermissionError, LocalCogneeError
from cognee_dagster.sources.cognee.user_reference import user_key

SETTING = "SYSTEM_ROOT_DIRECTORY=/srv/cognee/system\n"


def test_a_variable_is_known_to_come_from_the_file_and_its_line_or_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# Cognee\n\nCOGNEE_SERVICE_URL=http://file\nexport LLM_API_KEY='two\nlines'\nLLM_MODEL=x\nEMPTY\n")
    environ = cognee_environment({"COGNEE_SERVICE_URL": "http://shell", "HOME": "/root"}, directory=tmp_path)
    assert environ["COGNEE_SERVICE_URL"] == "http://file"
    assert environ.env_file == file
    assert environ.source_of("COGNEE_SERVICE_URL") == VariableSource(file=file, line=3, overrides=True)
    assert environ.source_of("LLM_API_KEY") == VariableSource(file=file, line=4)
    assert environ.source_of("LLM_MODEL") == VariableSource(file=file, line=6)
    assert environ.source_of("HOME") == VariableSource()
    assert environ.source_of("EMPTY") is None
    assert [str(environ.source_of(name)) for name in ("LLM_MODEL", "HOME")] == [f"{file}, line 6", "the environment"]
    assert str(environ.source_of("COGNEE_SERVICE_URL")) == f"{file}, line 3, which overrides the environment"
    assert source_of({"HOME": "/"}, "HOME") == VariableSource()
    assert source_of(environ, "LLM_MODEL") == environ.source_of("LLM_MODEL")


def test_the_last_of_several_lines_counts_as_it_does_for_cognee(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nA=2\n")
    environ = cognee_environment({}, directory=tmp_path)
    assert (environ["A"], environ.source_of("A")) == ("2", VariableSource(file=tmp_path / ".env", line=2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"# fuer alle\n# f\u00fcr alle\n{SETTING}".encode("latin-1"), "not UTF-8: line 2 has the byte 0xfc"),
        (SETTING.encode("utf-16"), "UTF-16"),
        (codecs.BOM_UTF16_BE + SETTING.encode("utf-16-be"), "UTF-16"),
        (SETTING.encode("utf-16-le"), "UTF-16"),
        (SETTING.encode("utf-32"), "UTF-16"),
    ],
)
def test_a_file_that_is_not_utf_8_is_named_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(LocalCogneeError) as caught:
        cognee_environment({}, directory=tmp_path)
    assert str(tmp_path / ".env") in str(caught.value)
    assert said in str(caught.value)
    assert "Save it as UTF-8" in str(caught.value)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(SETTING)

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(LocalCogneeError, match=r"\.env cannot be read: Permission denied.*COGNEE_ENV_FILE"):
        cognee_environment({}, directory=tmp_path)


def test_no_more_is_read_than_settings_can_have(tmp_path: Path) -> None:
    with (tmp_path / ".env").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LocalCogneeError, match=r"\.env has more than the 262,144 bytes.*COGNEE_ENV_FILE"):
        cognee_environment({}, directory=tmp_path)


def test_a_name_that_stands_for_ten_others_and_each_of_those_again_does_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["A0=0123456789", *(f"A{number}={f'${{A{number - 1}}}' * 10}" for number in range(1, 20))]
    (tmp_path / ".env").write_text("\n".join(lines))
    with pytest.raises(LocalCogneeError, match=r"\.env says more than 262,144 characters in all by its line 6"):
        cognee_environment({}, directory=tmp_path)


@pytest.mark.timeout(30)
def test_a_file_of_many_names_is_read_in_a_moment(tmp_path: Path) -> None:
    """python-dotenv copies the environment and all earlier names for each line."""
    (tmp_path / ".env").write_text("".join(f"A{number}=1\n" for number in range(24_000)))
    assert len(cognee_environment({}, directory=tmp_path)) == 24_000


def test_a_value_is_filled_in_as_python_dotenv_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "A=1\nB=${A}${HOST}${NOT_SET}\nA=2\nC=${A}${B:-x}${NOT_SET:-${A}}\nD\nE='${D}${D:-x}'\nF=${F}2\n"
        'export G="a\\n${HOST}"\nH=\n= 1\nI=$A ${ ${I} # no\n'
    )
    (tmp_path / ".env").write_text(text)
    monkeypatch.setattr("os.environ", {"HOST": "h", "F": "1", "D": "d"})
    expected = {key: value for key, value in dotenv_values(stream=StringIO(text)).items() if value is not None}
    assert dict(cognee_environment(directory=tmp_path)) == {"HOST": "h", "D": "d", **expected}
    assert expected["B"] == "1h"
    assert expected["F"] == "12"


def test_a_user_whose_name_is_not_unicode_is_refused() -> None:
    """What the shell hands over as bytes that are not UTF-8 reaches Python as lone surrogates."""
    with pytest.raises(DatasetPermissionError, match=r"udcfcller.* is no user"):
        user_key("m\udcfcller@example.com")
