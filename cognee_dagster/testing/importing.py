"""Imports archives as Cognee 1.6.5 does: ``modules/migration/import_source.py``, and what a running server showed."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from cognee_dagster.testing.answers import (
    AnswerError,
    CogneeError,
    cognify_failed,
    denied,
    document_elsewhere,
    import_failed,
    invalid_archive,
    social_layer_refused,
)
from cognee_dagster.testing.archive import Archive, InvalidArchiveError, Limits, unpacked
from cognee_dagster.testing.graph import Node, import_reference
from cognee_dagster.testing.multipart import Upload
from cognee_dagster.testing.pace import Pace, ServerKilledError
from cognee_dagster.testing.runs import IMPORT_PIPELINE, Operation, Run
from cognee_dagster.testing.state import Dataset, Document, State, User
from cognee_dagster.testing.translation import Translation, digests, document_of
from cognee_dagster.testing.versions import Release

DOCUMENTS_PER_ADD = 200
Body = dict[str, Any]


@dataclass(kw_only=True)
class Importer:
    """Imports on behalf of one user into one dataset."""

    state: State
    release: Release
    pace: Pace
    limits: Limits
    user: User
    dataset_name: str
    mode: str
    in_background: bool
    threads: list[threading.Thread] = field(default_factory=list)

    def run(self, uploads: Iterable[Upload]) -> Body:
        """Imports the archives one after another; the answer of the request.

        Raises:
            AnswerError: What the server answers instead. Archives before the bad one stay imported.
        """
        try:
            bodies = [self._import(upload) for upload in uploads]
        except InvalidArchiveError as error:
            raise invalid_archive() from error
        except CogneeError as error:
            if self.release.passes_errors_through:
                raise
            raise import_failed() from error
        except (EOFError, OSError) as error:
            raise import_failed() from error
        answer = bodies[-1]
        answer["items_processed"] = sum(body["items_processed"] for body in bodies)
        answer["items"] = [item for body in bodies for item in body["items"]]
        return answer

    def _import(self, upload: Upload) -> Body:
        started = time.monotonic()
        with unpacked(upload.content, limits=self.limits) as archive:
            owner = self._owner(archive)
            body = self._preserve(archive, owner) if self.mode == "preserve" else self._buffered(archive, owner)
            self._restore_grants(archive, owner)
        if body["elapsed_seconds"] is not None:
            body["elapsed_seconds"] = time.monotonic() - started
        return body

    # --- the two ways in ---------------------------------------------------------------------------------------------

    def _preserve(self, archive: Archive, owner: User) -> Body:
        """Documents first, in lots of 200 stored while later records are still unread; then the graph in one run."""
        translation = self._translation(archive)
        pending: list[Document] = []
        num_documents = 0
        for kind, record in archive.records():
            translation.add(kind, record)
            document = document_of(kind, record, self.state.clock)
            if document is not None:
                pending.append(document)
                num_documents += 1
            if len(pending) >= DOCUMENTS_PER_ADD:
                self._store(pending, self._dataset(owner), owner)
                pending = []
        if pending:
            self._store(pending, self._dataset(owner), owner)
        translation.add_facts(archive)
        run = self._import_graph(translation, owner) if translation.has_graph else None
        running = self.in_background and run is not None
        item = self._item(archive, translation, run, running=running)
        if running:
            item |= {"graph_nodes": 0, "graph_edges": 0, "skipped_facts": 0, "deduped_edges": 0}
        processed = num_documents + item["graph_nodes"]
        return self._body("started" if running else "completed", run, processed, item)

    def _buffered(self, archive: Archive, owner: User) -> Body:
        """Hybrid and re-derive: the graph (hybrid only), then documents and a cognify run."""
        translation = self._translation(archive)
        documents: list[Document] = []
        for kind, record in archive.records():
            translation.add(kind, record)
            document = document_of(kind, record, self.state.clock)
            if document is not None:
                documents.append(document)
        run = None
        if self.mode == "hybrid":
            translation.add_facts(archive)
            run = self._import_graph(translation, owner) if translation.has_graph else None
        else:
            documents += digests(archive, self.state.clock)
        running = self.in_background and run is not None
        item = self._item(archive, translation, run, running=running)
        item.pop("deduped_edges")
        if documents:
            return self._remember(documents, owner, run, item)
        return self._body("started" if running else "completed", run, item["graph_nodes"], item)

    def _remember(self, documents: list[Document], owner: User, run: Run | None, item: Body) -> Body:
        """Adds and cognifies; its own run's id is returned only in the foreground."""
        dataset = self._writable(owner)
        remember = Operation(state=self.state, name="remember", dataset=dataset, user=owner)
        if self.in_background:
            remember.write("succeeded", background=True)
            self._in_thread(lambda: self._add_and_cognify(documents, remember))
            body = self._body("running", run, item["graph_nodes"], item)
            return body | {"dataset_id": dataset.id, "elapsed_seconds": None}
        try:
            cognify = self._add_and_cognify(documents, remember)
        except CogneeError as error:
            remember.write("failed", background=False, error_class=error.class_name)
            raise
        remember.write("succeeded", background=False)
        body = self._body("completed", cognify, item["graph_nodes"] + len(documents), item)
        stored = [{"id": document.id} for document in documents]
        return body | {"dataset_id": dataset.id, "items": [*stored, item]}

    # --- pipelines ---------------------------------------------------------------------------------------------------

    def _import_graph(self, translation: Translation, owner: User) -> Run:
        """Returns when the graph is there, or, in the background, when the run has begun."""
        dataset = self._dataset(owner)
        self.pace.acquire(dataset.lock)
        run = Run(state=self.state, pipeline=IMPORT_PIPELINE, dataset=dataset, user=owner).start()
        if not self.in_background:
            self._write_graph(translation, dataset, run)
        elif self.mode == "preserve" and not self.pace.repaired_background:
            self._in_thread(lambda: self._lose_the_archive(dataset, run))
        else:
            self._in_thread(lambda: self._write_graph(translation, dataset, run))
        return run

    def _write_graph(self, translation: Translation, dataset: Dataset, run: Run) -> None:
        reference = import_reference(translation.source_system, dataset.name)
        with _released(dataset.lock):
            dataset.graph.merge(translation.raw, {}, reference=reference)
            self.pace.import_graph(translation.num_nodes)
            if not translation.is_readable:
                run.fail("ValidationError")
                raise InvalidArchiveError("a raw node's id is no UUID")
            if self.pace.next_failures:
                run.fail(self.pace.next_failures.pop(0))
                raise import_failed()
            translation.write_into(dataset.graph, reference=reference)
            run.complete()

    def _lose_the_archive(self, dataset: Dataset, run: Run) -> None:
        """The defect of every release known: the unpacked files are deleted when the request has been answered."""
        with _released(dataset.lock):
            self.pace.sleep(0.05)
            run.fail("FileNotFoundError")

    def _store(self, documents: list[Document], dataset: Dataset, owner: User, *, parent: str | None = None) -> None:
        self.pace.acquire(dataset.lock)
        with _released(dataset.lock):
            run = Run(state=self.state, pipeline="add_pipeline", dataset=dataset, user=owner, parent=parent).start()
            self.pace.sleep(self.pace.seconds_per_document * len(documents))
            for document in documents:
                holder = self.state.holder_of_document(document.id)
                if holder is not None and holder is not dataset:
                    run.fail("IngestionError")
                    raise document_elsewhere(document.id, dataset.id)
                dataset.documents.setdefault(document.id, document)
            run.complete()

    def _add_and_cognify(self, documents: list[Document], remember: Operation) -> Run:
        dataset, owner = remember.dataset, remember.user
        self._store(documents, dataset, owner, parent=remember.id)
        self.pace.acquire(dataset.lock)
        with _released(dataset.lock):
            run = Run(
                state=self.state, pipeline="cognify_pipeline", dataset=dataset, user=owner, parent=remember.id
            ).start()
            self.pace.sleep(self.pace.cognify_seconds)
            if not self.pace.llm_works:
                run.fail("InternalServerError")
                raise cognify_failed(dataset.id)
            for document in documents:
                node = Node(document.title or document.id, "TextDocument", {})
                dataset.graph.merge({document.id: node}, {}, reference=document.id)
            run.complete()
        Operation(state=self.state, name="improve", dataset=dataset, user=owner, parent=remember.id).write(
            "noop", background=False
        )
        return run

    def _in_thread(self, work: Callable[[], object]) -> None:
        def guarded() -> None:
            with suppress(
                AnswerError, InvalidArchiveError, ServerKilledError
            ):  # nobody is there to be told; the rows say it
                work()

        thread = threading.Thread(target=guarded, daemon=True)
        self.threads.append(thread)
        thread.start()

    # --- who and where -----------------------------------------------------------------------------------------------

    def _dataset(self, owner: User) -> Dataset:
        """The target, created when missing. The name is checked only after that, so a refused one stays behind."""
        dataset = self._writable(owner)
        if " " in self.dataset_name or "." in self.dataset_name:
            raise InvalidArchiveError("Dataset name cannot contain spaces or dots.")
        return dataset

    def _writable(self, owner: User) -> Dataset:
        dataset = self.state.ensure_dataset(self.dataset_name, owner, before_rights=self.pace.give_rights)
        if not dataset.allows(owner, "write"):  # while another request makes it
            raise denied("write")
        return dataset

    def _owner(self, archive: Archive) -> User:
        """The archive's own owner when it carries accounts (superusers only), else the caller."""
        if not archive.social_layer or not self.release.keeps_source_ids:
            return self.user
        if not self.user.is_superuser:
            raise social_layer_refused()
        owner = archive.social_layer.get("owner")
        return self._restored(owner["email"]) if owner else self.user

    def _restore_grants(self, archive: Archive, owner: User) -> None:
        dataset = self.state.dataset_named(self.dataset_name, owner)
        if not archive.social_layer or dataset is None:
            return
        for grant in archive.social_layer.get("grants", []):
            user = self._restored(grant["user"]["email"])
            dataset.grants.setdefault(user.id, set()).update(grant.get("permissions", []))
        if owner != self.user:
            dataset.grants.setdefault(self.user.id, set()).add("read")

    def _restored(self, email: str) -> User:
        return self.state.users.setdefault(email, User(email=email, api_key=f"restored-{email}"))

    # --- answers -----------------------------------------------------------------------------------------------------

    def _translation(self, archive: Archive) -> Translation:
        keeps_source_ids = archive.source_system == "cognee" and self.release.keeps_source_ids
        return Translation(source_system=archive.source_system, keeps_source_ids=keeps_source_ids)

    def _item(self, archive: Archive, translation: Translation, run: Run | None, *, running: bool) -> Body:
        graph_only = self.mode != "re-derive"
        nodes = translation.num_nodes if self.mode == "preserve" else translation.batched_num_nodes()
        item = {
            "kind": "migration_import",
            "source_system": archive.source_system,
            "mode": self.mode,
            "record_counts": dict(translation.counts),
            "graph_nodes": nodes if graph_only else 0,
            "graph_edges": len(translation.edges),
            "skipped_facts": translation.skipped_facts,
            "deduped_edges": translation.deduped_edges,
            "pipeline_run_id": run.id if run else None,
        }
        return item | {"graph_import": "running"} if running else item

    def _body(self, status: str, run: Run | None, processed: int, item: Body) -> Body:
        return {
            "status": status,
            "dataset_name": self.dataset_name,
            "dataset_id": None,
            "pipeline_run_id": run.id if run else None,
            "items_processed": processed,
            "elapsed_seconds": 0.0,
            "items": [item],
        }


@contextmanager
def _released(lock: threading.Lock) -> Iterator[None]:
    """Releases a lock that another thread may have taken."""
    try:
        yield
    finally:
        lock.release()
