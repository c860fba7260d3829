"""The environment that Cognee itself would see: the process's variables, overlaid by the ``.env`` it would load.

Cognee loads one ``.env`` with override, so *the file beats the environment* (Cognee 1.6.5, ``shared/env_file.py``).
Reading the same file the same way, without importing Cognee, keeps this package and Cognee of one mind about where the
local stores and the remote are.
"""

import importlib.util
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.main import with_warn_for_invalid_lines
from dotenv.parser import Binding, parse_stream
from dotenv.variables import parse_variables

from cognee_dagster.errors import LocalCogneeError

ENV_FILE_VARIABLE = "COGNEE_ENV_FILE"
API_KEY_VARIABLE = "COGNEE_API_KEY"  # of the remote
DEBUG_VARIABLE = "COGNEE_DAGSTER_DEBUG"  # of the command line
NO_LANGUAGE_MODEL = "the-sandbox-has-no-language-model-set-LLM_API_KEY"  # in the LLM_ENDPOINT of one that has none
_PROJECT_MARKERS = (".git", "pyproject.toml")
_MAX_BYTES = 256 << 10  # of a file, and of all values in it together; settings of a project are a few thousand


@dataclass(frozen=True, kw_only=True)
class VariableSource:
    """Where a variable got its value.

    Attributes:
        file: The ``.env``; None for the process's environment.
        line: The line in it, counted from 1.
        overrides: Whether the process's environment says something else, which does not count then.
    """

    file: Path | None = None
    line: int | None = None
    overrides: bool = False

    def __str__(self) -> str:
        if self.file is None:
            return "the environment"
        return f"{self.file}, line {self.line}{', which overrides the environment' if self.overrides else ''}"


class CogneeEnvironment(dict[str, str]):
    """The variables as Cognee would see them, which remembers where each came from.

    Attributes:
        env_file: The ``.env`` among them, if there is one.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        env_file: Path | None = None,
        from_file: Mapping[str, VariableSource] | None = None,
    ) -> None:
        super().__init__(variables)
        self.env_file = env_file
        self._from_file = dict(from_file or {})

    def source_of(self, name: str) -> VariableSource | None:
        """Where the variable of that name came from; None if there is no such variable."""
        if name not in self:
            return None
        return self._from_file.get(name, VariableSource())


def cognee_environment(environ: Mapping[str, str] | None = None, *, directory: Path | None = None) -> CogneeEnvironment:
    """The variables as Cognee would see them when started in ``directory`` (default: the working directory).

    Args:
        environ: The variables to start from; default: this process's.
        directory: Where the search for a ``.env`` begins.

    Raises:
        LocalCogneeError: ``COGNEE_ENV_FILE`` names something that is not a file, or the ``.env`` cannot be read or is
            not UTF-8; Cognee refuses to start then, too. Or it has more than settings ever have.
    """
    variables = dict(os.environ if environ is None else environ)
    env_file = find_env_file(variables, directory=directory)
    if env_file is None:
        return CogneeEnvironment(variables)
    bindings = list(with_warn_for_invalid_lines(parse_stream(StringIO(_read_env_file(env_file)))))
    given = _values(bindings, variables, path=env_file)
    from_file = {
        binding.key: VariableSource(
            file=env_file,
            line=_line_of(binding),
            overrides=variables.get(binding.key, "") not in ("", given[binding.key]),
        )
        for binding in bindings
        if binding.key is not None and binding.key in given
    }
    return CogneeEnvironment({**variables, **given}, env_file=env_file, from_file=from_file)


def source_of(environ: Mapping[str, str], name: str) -> VariableSource | None:
    """Where a variable came from, for variables of any kind; None if there is no such variable."""
    if isinstance(environ, CogneeEnvironment):
        return environ.source_of(name)
    return VariableSource() if name in environ else None


def _line_of(binding: Binding) -> int:
    """The line that names the variable; the parser counts the empty lines before it in."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _values(bindings: Sequence[Binding], variables: Mapping[str, str], *, path: Path) -> dict[str, str]:
    """What the lines set, as python-dotenv says it: ``${NAME}`` stands for what is known in that line."""
    given: dict[str, str | None] = {}
    known = ChainMap[str, str | None](given, dict(variables))
    length = 0
    for binding in bindings:
        if binding.key is None:
            continue
        parts = []
        for atom in parse_variables(binding.value or ""):
            parts.append(atom.resolve(known))
            length += len(parts[-1])
            if length > _MAX_BYTES:  # a name that stands for two others, and each of those again
                raise LocalCogneeError(
                    f"The settings file {path} says more than {_MAX_BYTES:,} characters in all by its line "
                    f"{_line_of(binding)}, with what ${{…}} stands for. Shorten it, or name another file with "
                    f"{ENV_FILE_VARIABLE}."
                )
        given[binding.key] = None if binding.value is None else "".join(parts)
    return {key: value for key, value in given.items() if value is not None}


def _read_env_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LocalCogneeError(
            f"The settings file {path} cannot be read: {error.strerror}. Correct its permissions, or name another file "
            f"with {ENV_FILE_VARIABLE}."
        ) from error
    if len(content) > _MAX_BYTES:
        raise LocalCogneeError(
            f"The settings file {path} has more than the {_MAX_BYTES:,} bytes that settings can have. Move it out of "
            f"the way, or name another file with {ENV_FILE_VARIABLE}."
        )
    advice = f"Save it as UTF-8, or name another file with {ENV_FILE_VARIABLE}; Cognee refuses it, too."
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content:
        raise LocalCogneeError(f"The settings file {path} is not UTF-8 but, by its look, UTF-16. {advice}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LocalCogneeError(
            f"The settings file {path} is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}. {advice}"
        ) from None  # the line may hold a key


def find_env_file(environ: Mapping[str, str], *, directory: Path | None = None) -> Path | None:
    """The ``.env`` that Cognee would load: ``COGNEE_ENV_FILE``, else the project's, else the one beside the package."""
    explicit = environ.get(ENV_FILE_VARIABLE, "").strip()
    if explicit:
        path = Path(explicit).expanduser()
        if not path.is_file():
            raise LocalCogneeError(
                f"{ENV_FILE_VARIABLE}={explicit} does not name a file. Correct or unset it; "
                "an empty regular file means: no settings from a file."
            )
        return path.resolve()
    package = cognee_package()
    starts = [directory or _working_directory(), package]
    return next((found for start in starts if start is not None and (found := _search_upward(start))), None)


def cognee_package() -> Path | None:
    """The directory of the installed ``cognee`` package, found without importing it; None when not installed."""
    spec = importlib.util.find_spec("cognee")
    return Path(spec.origin).resolve().parent if spec is not None and spec.origin else None


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # deleted under the process
        return None


def _search_upward(start: Path) -> Path | None:
    """``.env`` in ``start`` or a parent, no further up than the directory that holds a project marker."""
    start = start.resolve()
    for directory in (start, *start.parents):
        if (candidate := directory / ".env").is_file():
            return candidate
        if any((directory / marker).exists() for marker in _PROJECT_MARKERS):
            return None
    return None
