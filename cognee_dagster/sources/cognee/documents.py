"""Brings documents into a dataset of the local Cognee, and out of it, through Cognee itself in a child process."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

from cognee_dagster.errors import LocalCogneeError
from cognee_dagster.sources.cognee.child.process import ask_cognee, dataset_request
from cognee_dagster.sources.cognee.config import LocalCogneeConfig
from cognee_dagster.sources.cognee.gone_documents import HeldDocument
from cognee_dagster.sources.cognee.user_reference import UserRef

COGNIFY_SECONDS = 24 * 3_600.0  # a language model may be slow; a run that hangs is still ended


@dataclass(frozen=True, kw_only=True)
class DocumentsReport:
    """What ``add_documents`` found and did.

    Attributes:
        added: Documents that were new to the dataset.
        changed: Documents that the dataset held with another content, and that were replaced.
        unchanged: Documents that the dataset holds already, under this name or another.
        cognified: Whether the graph was extended or rebuilt.
        seconds: How long all of it took.
        held: Everything that the dataset holds now, of this user.
    """

    added: tuple[Path, ...]
    changed: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    cognified: bool
    seconds: float
    held: tuple[HeldDocument, ...] = ()


def add_documents(
    dataset: str | UUID,
    documents: Sequence[Path],
    *,
    user: UserRef = None,
    config: LocalCogneeConfig | None = None,
) -> DocumentsReport:
    """Bring files into a dataset's graph: ``cognee.add`` if new, ``cognee.update`` if changed, then ``cognee.cognify``.

    A document is known by its path and its content's MD5, as ``cognee.add`` knows it (Cognee 1.6.5, tasks/ingestion,
    ``refuse_changed_existing_documents.py``): other content under the same path replaces what the graph got from the
    old one; the same content under another path is held already. Documents that were added but never cognified are
    cognified, too, and all of them if the graph is gone. The language model and the embeddings are those of
    ``config.environ``.

    Cognee does not forget by itself: a document that is no longer passed, or was moved *and* changed, stays in the
    dataset with all the graph got from it, until ``forget_documents``; entities that an old version shares with other
    documents stay in any case.

    Args:
        dataset: A name; the dataset is made if the user has none. Or a UUID of a dataset the user may write.
        documents: Files.
        user: As for ``open_dataset``.
        config: The local Cognee; default: the one this process's environment describes.

    Raises:
        DatasetPermissionError: The user may not write the dataset, or does not exist.
        CogneeNotInstalledError: The interpreter has no Cognee.
        LocalCogneeError: A file is missing, or Cognee could not add or cognify; with the end of what it said.
    """
    if missing := [str(path) for path in documents if not path.is_file()]:
        raise LocalCogneeError(f"These documents of dataset {str(dataset)!r} are no files: {', '.join(missing)}.")
    started = monotonic()
    paths = {str(path.absolute()): path for path in documents}
    request = {**dataset_request(dataset, user=user), "documents": list(paths)}
    report: dict[str, Any] = {"kinds": {}, "cognified": False}
    held: list[HeldDocument] = []
    config = config or LocalCogneeConfig()
    with closing(ask_cognee("add_documents", request, config=config, limit_seconds=COGNIFY_SECONDS)) as messages:
        for message in messages:
            if message["event"] == "held":
                held += (
                    HeldDocument(data_id=data_id, location=location, content_hash=content_hash)
                    for data_id, location, content_hash in message["rows"]
                )
            elif message["event"] == "documents":
                report = message

    def of_kind(kind: str) -> tuple[Path, ...]:
        return tuple(path for text, path in paths.items() if report["kinds"][text] == kind)

    return DocumentsReport(
        added=of_kind("added"),
        changed=of_kind("changed"),
        unchanged=of_kind("unchanged"),
        cognified=report["cognified"],
        seconds=monotonic() - started,
        held=tuple(held),
    )


def forget_documents(
    dataset: str | UUID,
    documents: Sequence[HeldDocument],
    *,
    user: UserRef = None,
    config: LocalCogneeConfig | None = None,
) -> None:
    """Delete documents from a dataset with ``cognee.forget``: their texts, and what the graph has from them alone.

    Args:
        dataset: As for ``add_documents``.
        documents: Some of those that it holds; one that it no longer does is no error.
        user: As for ``open_dataset``.
        config: The local Cognee; default: the one this process's environment describes.

    Raises:
        DatasetPermissionError: The user may not delete from the dataset.
        CogneeNotInstalledError: The interpreter has no Cognee.
        LocalCogneeError: Cognee could not forget them; with the end of what it said.
    """
    ids = [document.data_id for document in documents]
    request = {**dataset_request(dataset, user=user), "forget": ids}
    config = config or LocalCogneeConfig()
    with closing(ask_cognee("forget_documents", request, config=config, limit_seconds=COGNIFY_SECONDS)) as messages:
        for _ in messages:
            pass
