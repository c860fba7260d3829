"""The settings of the repository's own code location: which datasets to push, and where archives are kept.

They are variables named ``COGNEE_DAGSTER_…``, in the environment or in the ``.env`` that Cognee itself would read, and,
as for Cognee, the file goes before the environment. Where the remote and the local Cognee are is said by Cognee's own
variables.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.environment import DEBUG_VARIABLE, cognee_environment
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.options import DEFAULT_DATASET
from cognee_dagster.remote.https_settings import ALLOW_PLAIN_HTTP_VARIABLE, CA_BUNDLE_VARIABLE
from cognee_dagster.store.archives import DEFAULT_ARCHIVE_DIRECTORY
from cognee_dagster.system.settings_source import CogneeSettings, first_problem
from cognee_dagster.system.spelling import nearest

PREFIX = "COGNEE_DAGSTER_"

# Fields of a dataset that text can express; the others need code, as do more remotes than the environment's.
_IN_CODE = {"remote", "targets", "automation_condition", "retry_policy", "translator", "execute"}
_DATASET_FIELDS = frozenset(CogneeDataset.__dataclass_fields__) - _IN_CODE


class CodeLocationSettings(CogneeSettings):
    """What the environment says about this code location."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True)

    datasets: str = Field(
        default=DEFAULT_DATASET,
        description="Names, separated by commas, or a JSON list of names and of objects with CogneeDataset's fields.",
    )
    archives: str = Field(
        default=DEFAULT_ARCHIVE_DIRECTORY,
        description="Where archives are stored: a directory or an fsspec URL such as s3://bucket/archives.",
    )
    key_prefix: str = Field(default="", description="Put before every asset key, such as team/graphs.")
    run_in_background: bool = Field(default=False, description="The default for datasets that do not say it.")
    python: str | None = Field(default=None, description="Interpreter that has Cognee; default: COGNEE_PYTHON.")
    user: str | None = Field(default=None, description="The local Cognee user who reads.")

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> "CodeLocationSettings":
        """The settings in these variables; default: those that Cognee would see. An empty one counts as unset.

        Raises:
            DatasetDefinitionError: A variable's value makes no sense, or there is no setting of its name.
        """
        variables = cognee_environment() if environ is None else environ
        _refuse_unknown(name for name, value in variables.items() if name.startswith(PREFIX) and value.strip())
        try:
            return super().read(variables)
        except ValidationError as error:
            problem = first_problem(error, cls, variables)
        raise DatasetDefinitionError(f"A setting does not make sense. {problem}.")

    def cognee_datasets(self) -> list[CogneeDataset]:
        """The datasets, with these settings as defaults.

        Raises:
            DatasetDefinitionError: One that cannot work; the message says which.
        """
        defaults = {"key_prefix": self.key_prefix or (), "run_in_background": self.run_in_background}
        return [
            _dataset(entry, defaults=defaults, where=f"{PREFIX}DATASETS[{index}]")
            for index, entry in enumerate(self._entries())
        ]

    def _entries(self) -> list[Any]:
        text = self.datasets.strip()
        if not text.startswith(("[", "{")):
            return [name.strip() for name in text.split(",") if name.strip()]
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise DatasetDefinitionError(f"{PREFIX}DATASETS is not valid JSON: {error}.") from None
        return entries if isinstance(entries, list) else [entries]


def _dataset(entry: Any, *, defaults: Mapping[str, Any], where: str) -> CogneeDataset:
    fields = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(fields, dict):
        raise DatasetDefinitionError(f"{where} must be a dataset's name or an object of CogneeDataset's fields.")
    if unknown := sorted(set(fields) - _DATASET_FIELDS):
        raise DatasetDefinitionError(
            f"{where}: there is no field {unknown[0]!r}.{_suggestion(unknown[0], _DATASET_FIELDS)} "
            f"Fields: {', '.join(sorted(_DATASET_FIELDS))}."
        )
    if "name" not in fields:
        raise DatasetDefinitionError(f"{where} has no name.")
    try:
        return CogneeDataset(**{**defaults, **fields})
    except DatasetDefinitionError as error:
        raise DatasetDefinitionError(f"{where}: {error}") from None


def _refuse_unknown(given: Iterable[str]) -> None:
    """A setting that is misspelt would otherwise be a setting that is silently ignored."""
    known = {PREFIX + name.upper() for name in CodeLocationSettings.model_fields}
    known |= {CA_BUNDLE_VARIABLE, ALLOW_PLAIN_HTTP_VARIABLE, DEBUG_VARIABLE}
    for name in given:
        if name not in known:
            raise DatasetDefinitionError(
                f"There is no setting {name}.{_suggestion(name, known)} Settings: {', '.join(sorted(known))}."
            )


def _suggestion(name: str, known: frozenset[str] | set[str]) -> str:
    close = nearest(name, sorted(known), besides=PREFIX)
    return f" Did you mean {close[0]}?" if close else ""
