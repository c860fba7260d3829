"""The documents of a ``CogneeDataset``: the local dataset follows the files that its patterns match."""

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from cognee_dagster import sources
from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.resources import LocalCognee
from cognee_dagster.errors import DatasetDefinitionError, DocumentsGoneError
from cognee_dagster.graph.counting import counted

if TYPE_CHECKING:
    from cognee_dagster.sources.cognee.documents import DocumentsReport
    from cognee_dagster.sources.cognee.gone_documents import GoneDocuments

_MAX_DOCUMENTS_LOGGED = 100
_EXAMPLES = 5


def follow_documents(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, *, local: LocalCognee
) -> dict[str, Any]:
    """Add what is new or changed, and do with what left its folder as ``documents_removed`` says.

    Returns:
        What became of the documents, for the metadata.

    Raises:
        DatasetDefinitionError: A pattern matches no file.
        DocumentsGoneError: Documents left their folder, and are not to be forgotten.
        LocalCogneeError: Cognee could not add, cognify or forget them.
    """
    files = find_documents(dataset)
    report = add_documents(dataset, files, local=local)
    _log(context, "added", report.added)
    _log(context, "changed", report.changed)
    found = sources.gone_documents(report.held, dataset.documents, present=files)
    for reason in found.left_alone:
        context.log.warning(f"Whether documents left their folder cannot be told: {reason}.")
    forgotten = 0
    if found.gone:
        forgotten = _forget(context, dataset, found, local=local)
    return {
        "added": len(report.added),
        "changed": len(report.changed),
        "unchanged": len(report.unchanged),
        "gone": len(found.gone),
        "forgotten": forgotten,
        "cognified": report.cognified,
        "seconds": round(report.seconds, 3),
    }


def _forget(
    context: dg.AssetExecutionContext, dataset: CogneeDataset, found: "GoneDocuments", *, local: LocalCognee
) -> int:
    """How many documents were forgotten."""
    if dataset.documents_removed == "keep":
        context.log.info(f"{counted(len(found.gone), 'document')} left the folder and stay: documents_removed is keep.")
        return 0
    require_few_gone(dataset, found)
    sources.forget_documents(dataset.name, found.gone, user=local.user_for(dataset.user), config=local.config())
    _log(context, "forgotten", [document.path for document in found.gone])
    return len(found.gone)


def require_few_gone(dataset: CogneeDataset, found: "GoneDocuments") -> None:
    """Refuse to forget more than is allowed, or anything at all with ``fail``.

    Raises:
        DocumentsGoneError: With the first of them, and how to go on.
    """
    number = len(found.gone)
    allowed = 0.0 if dataset.documents_removed == "fail" else dataset.max_removed * found.num_held
    if number <= allowed:
        return
    if dataset.documents_removed == "fail":
        rule, advice = "documents_removed is fail", "with documents_removed forget"
    else:
        rule = f"max_removed is {dataset.max_removed:.0%}"
        advice = "with a larger max_removed (1 allows everything)"
    named = ", ".join(str(document.path) for document in found.gone[:_EXAMPLES])
    more = f" and {number - _EXAMPLES:,} more" if number > _EXAMPLES else ""
    raise DocumentsGoneError(
        f"{number:,} of {counted(found.num_held, 'document')} of dataset {str(dataset.name)!r} left the folder, and "
        f"{rule}: none was forgotten. They are {named}{more}. If they are gone on purpose, run it again {advice}; with "
        "documents_removed keep they stay in the dataset."
    )


def add_documents(dataset: CogneeDataset, files: list[Path], *, local: LocalCognee) -> "DocumentsReport":
    """Add these files to the local Cognee, and cognify it if anything is new.

    Raises:
        LocalCogneeError: Cognee could not add or cognify them.
    """
    return sources.add_documents(dataset.name, files, user=local.user_for(dataset.user), config=local.config())


def find_documents(dataset: CogneeDataset) -> list[Path]:
    """The files that the dataset's patterns match, each once, in a stable order.

    Raises:
        DatasetDefinitionError: A pattern matches no file; most often the step runs in another directory than meant.
    """
    found: dict[Path, None] = {}
    for pattern in dataset.documents:
        matches = [Path(match).absolute() for match in glob.glob(str(Path(pattern).expanduser()), recursive=True)]
        files = sorted(match for match in matches if match.is_file())
        if not files:
            raise DatasetDefinitionError(
                f"Dataset {str(dataset.name)!r}: the documents pattern {pattern!r} matches no file (looked in "
                f"{Path.cwd()}). Correct the pattern, or use an absolute one."
            )
        found.update(dict.fromkeys(files))
    return list(found)


def _log(context: dg.AssetExecutionContext, what: str, documents: "Iterable[Path | None]") -> None:
    for document in list(documents)[:_MAX_DOCUMENTS_LOGGED]:
        context.log.info(f"Document {what}: {document}")
