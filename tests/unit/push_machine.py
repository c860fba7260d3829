"""A hypothesis machine of our pushes and others' in any order, on the fake remote."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from cognee_dagster.cogx.archive import Archive
from cognee_dagster.errors import ImportFailedError, RemoteError
from cognee_dagster.pushing.archives import PushResult, push_archives
from cognee_dagster.pushing.known_by import KnownBy
from cognee_dagster.pushing.options import DeliverySettings, PushOptions
from cognee_dagster.testing import FakeRemote, importing, server
from cognee_dagster.testing.faults import UPLOADS, Fault, answer, cut_answer, cut_request, drop_answer, html, reset
from cognee_dagster.testing.pace import Pace
from cognee_dagster.testing.runs import IMPORT_PIPELINE
from tests.cogx_graphs import ID_A, ID_B, ID_C
from tests.pushes import Noting, client_of
from tests.rivals import Rival

SETTINGS = DeliverySettings(poll_interval=0.003, quiet_after=0.015, recovery_timeout=0.04, recovery_per_document=0.0)
# Delays of a request and of its answer at which somebody else acts instead of time passing.
BEFORE, AFTER = 3601.0, 3602.0
WHILE_WE_DETACH = 0.03
INCLUDING = {"ours": {"ours", "ours later"}, "ours later": {"ours later"}}

UNKNOWN_WORD = json.dumps({"status": "enqueued", "items": [{"kind": "migration_import"}]})
FAULTS = {
    "the answer is lost": drop_answer(),
    "half an answer": cut_answer(200),
    "504, and it arrived": answer(504, deliver=True),
    "502, and it did not arrive": answer(502),
    "503": answer(503),
    "reset": reset(),
    "half an upload": cut_request(300),
    "a portal": html(),
    "a portal, and it arrived": replace(html(), deliver=True),
    "nothing at all": answer(200),
    "nothing at all, and it arrived": answer(200, deliver=True),
    "an unknown word": answer(200, UNKNOWN_WORD),
    "an unknown word, and it arrived": answer(200, UNKNOWN_WORD, deliver=True),
}


@dataclass(kw_only=True)
class Moments(Pace):
    """A server's pace, with others who act at one moment of a request."""

    then: dict[float, Callable[[], None]] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        happening = self.then.pop(seconds, None)
        if happening is not None:
            happening()
        else:
            super().sleep(seconds)


@dataclass(kw_only=True)
class Try:
    """One push, and what was done to it."""

    archive: str
    mode: str
    in_background: bool
    faults: list[str]
    meanwhile: str
    moment: float = BEFORE
    fails: bool
    before: set[str]
    uploads: int

    @property
    def came_first(self) -> bool:
        """Whether our first upload was imported before others did anything."""
        first = FAULTS[self.faults[0]] if self.faults else Fault()
        return self.moment == AFTER and first.deliver and first.request_bytes is None and not self.fails

    @property
    def is_left_alone(self) -> bool:
        return not (self.faults or self.meanwhile or self.fails)


class Pushes(RuleBasedStateMachine):
    """One remote dataset."""

    archives: ClassVar[dict[str, Archive]]
    ways: ClassVar[set[str]]
    """How pushes ended, of all sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        remote = FakeRemote()
        remote.pace = Moments(llm_works=True, rights_after=0.002)
        self.remote = self.stack.enter_context(remote)
        self.brought: dict[str, str] = {}  # the archive by run
        self.records: dict[tuple[str, str, str], Noting] = {}
        directory = Path(self.stack.enter_context(TemporaryDirectory(prefix="push-machine-")))
        patches = self.stack.enter_context(pytest.MonkeyPatch.context())
        patches.setenv("HOME", str(directory))
        self.uploads_begun = self.uploads_served = 0
        self.threads: list[threading.Thread] = []
        serve = server._Handler._serve
        patches.setattr(server._Handler, "_serve", lambda handler: self._serve(handler, serve))
        patches.setattr(importing, "threading", SimpleNamespace(Thread=self._thread, Lock=threading.Lock))
        hosts = {"here": self.remote.url, "there": self.remote.url.replace("127.0.0.1", "localhost")}
        self.clients = {
            where: self.stack.enter_context(client_of(url, self.remote.api_key)) for where, url in hosts.items()
        }

    def teardown(self) -> None:
        self.stack.close()

    @rule(
        archive=st.sampled_from(["ours", "ours later"]),
        mode=st.sampled_from(["preserve", "preserve", "hybrid", "re-derive"]),
        in_background=st.booleans(),
        faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=2),
        meanwhile=st.sampled_from(["", "", "another", "older", "ours", "ours later", "we there"]),
        moment=st.sampled_from([BEFORE, AFTER]),
        fails=st.sampled_from([False, False, True]),
        resumes=st.booleans(),
    )
    def we_push(
        self,
        archive: str,
        mode: str,
        in_background: bool,
        faults: list[str],
        meanwhile: str,
        moment: float,
        fails: bool,
        resumes: bool,
    ) -> None:
        """One of ours pushes here, while somebody else does there, perhaps, and the network fails, perhaps."""
        spoiled = [FAULTS[name] for name in faults] or [Fault()]
        if meanwhile:
            first = spoiled[0]
            spoiled[0] = replace(first, delay=moment) if moment == BEFORE else replace(first, answer_delay=moment)
            self._pace.then[moment] = lambda: self._others(meanwhile, interrupts=True)
        self.remote.faults.on(UPLOADS, *spoiled)
        if fails:
            self.remote.fail_next_import()
        if in_background:
            self._pace.import_seconds = WHILE_WE_DETACH
        one = Try(
            archive=archive,
            mode=mode,
            in_background=in_background,
            faults=faults,
            meanwhile=meanwhile,
            moment=moment,
            fails=fails,
            before=self._runs(),
            uploads=len(self.remote.uploads),
        )
        self._push(one, where="here", resumes=resumes)
        self.remote.faults.clear()
        self._pace.then.clear()
        self._pace.next_failures.clear()

    @rule(what=st.sampled_from(["another", "older", "ours", "we there"]))
    def others_push(self, what: str) -> None:
        """Somebody else imports."""
        self._others(what)

    @rule()
    def somebody_empties_the_dataset(self) -> None:
        """What was there is there no more."""
        client = self.clients["there"]
        found = [dataset for dataset in client.datasets() if dataset.name == "demo"]
        for dataset in found:
            client.empty_dataset(dataset.id)

    @rule()
    def the_server_restarts(self) -> None:
        """What was imported is still there."""
        self.remote.restart()

    def _serve(self, handler: Any, serve: Callable[[Any], None]) -> None:
        """As the server does; uploads are counted, since we may have hung up before they have been taken in."""
        if handler.path != UPLOADS:
            serve(handler)
            return
        self.uploads_begun += 1
        try:
            serve(handler)
        finally:
            self.uploads_served += 1

    def _thread(self, **options: Any) -> threading.Thread:
        """One of the server's, in which an import goes on."""
        self.threads.append(threading.Thread(**options))
        return self.threads[-1]

    # --- who pushes -------------------------------------------------------------------------------------------------

    @property
    def _pace(self) -> Moments:
        assert isinstance(self.remote.pace, Moments)
        return self.remote.pace

    def _others(self, what: str, *, interrupts: bool = False) -> None:
        """Who interrupts another's upload may meet what was to happen to its next try."""
        if what == "we there":
            one = Try(
                archive="ours",
                mode="preserve",
                in_background=False,
                faults=[],
                meanwhile="interrupts" if interrupts else "",
                fails=bool(self._pace.next_failures),
                before=self._runs(),
                uploads=len(self.remote.uploads),
            )
            self._push(one, where="there", resumes=False)
            return
        before = self._runs()
        with Rival(self.remote.url, self.remote.api_key, self.archives[what]):
            pass
        self._note(what, before)

    def _push(self, one: Try, *, where: str, resumes: bool) -> None:
        place = (where, one.archive, one.mode)
        record = self.records.get(place, Noting()) if resumes else Noting()
        resumed = dict(record.runs)
        self.records[place] = record
        options = PushOptions(
            target_dataset="demo", mode=one.mode, run_in_background=one.in_background, delivery=SETTINGS
        )
        try:
            result = push_archives(
                (self.archives[one.archive],), client=self.clients[where], options=options, record=record
            )
        except RemoteError as error:
            self._settle(where)
            self._note(one.archive, one.before)
            self.ways.add(type(error).__name__)
            self._check_failure(one, error)
            return
        is_there = self.holds(one.archive)  # before what goes on in the background has ended
        self._settle(where)
        self._note(one.archive, one.before)
        self.ways.add(f"{result.status}, {result.known_by.value}")
        self._check(one, result, is_there=is_there, resumed={run.run_id for run in resumed.values()})
        if result.status == "completed":
            self.records.pop(place, None)

    # --- what is so -------------------------------------------------------------------------------------------------

    def _check(self, one: Try, result: PushResult, *, is_there: bool, resumed: set[str]) -> None:
        run, new = result.pipeline_run_id, self._runs() - one.before
        ours = {number for number in new if self.brought[number] == one.archive} | resumed
        if result.status == "completed":
            assert is_there or one.mode == "re-derive" or one.meanwhile, "complete, and the graph is not there"
            if result.known_by is KnownBy.REMOTE_GRAPH:
                assert one.mode != "re-derive", "a graph that is made anew cannot be told by ours"
                # What others then made of its nodes is not looked at where the server makes something of them, too.
                assert is_there or (one.mode == "hybrid" and one.meanwhile and self._have_succeeded(ours))
                assert run is None or run in ours or self.brought[run] in INCLUDING[one.archive]
            else:
                assert result.known_by is KnownBy.ANSWER
                assert run in ours, "somebody else's run"
                assert self._state_of(run) == "COMPLETED"
        else:
            assert result.status in ("started", "running"), result
            assert one.in_background
            # One case cannot be told: somebody else's import began after our last byte, and before or without ours.
            may_be_others = result.known_by is KnownBy.RUN and one.meanwhile and not one.came_first
            assert run is None or run in ours or may_be_others, "somebody else's"
        if not one.meanwhile and one.mode != "re-derive":
            done = [number for number in new if self._state_of(number) == "COMPLETED" and self._is_import(number)]
            assert len(done) <= 1, "imported twice"

    def _check_failure(self, one: Try, error: RemoteError) -> None:
        assert not one.is_left_alone, error
        assert not isinstance(error, ImportFailedError) or self._some_failed(one.before), error

    def holds(self, archive: str) -> bool:
        """Whether the remote graph is what the archive says, as far as that goes."""
        dataset = self.remote.state.dataset_named("demo", self.remote.admin)
        if dataset is None:
            return False
        names = {"ours": {ID_B: "a person"}, "ours later": {ID_B: "a person", ID_C: "another"}}[archive]
        nodes = dataset.graph.nodes
        return ID_A in nodes and all(
            number in nodes
            and nodes[number].properties.get("description") == text
            and (ID_A, "contains", number) in dataset.graph.edges
            for number, text in names.items()
        )

    def _runs(self) -> set[str]:
        return {str(row["pipeline_run_id"]) for row in list(self.remote.state.rows) if row["pipeline_name"]}

    def _note(self, archive: str, before: set[str]) -> None:
        for number in self._runs() - before:
            self.brought.setdefault(number, archive)

    def _rows(self, run_id: str) -> list[dict[str, Any]]:
        return [row for row in self.remote.runs if row["pipeline_run_id"] == run_id]

    def _is_import(self, run_id: str) -> bool:
        return any(row["pipeline_name"] == IMPORT_PIPELINE for row in self._rows(run_id))

    def _state_of(self, run_id: str | None) -> str:
        return str(self._rows(str(run_id))[0]["status"]).removeprefix("DATASET_PROCESSING_")

    def _have_succeeded(self, run_ids: set[str]) -> bool:
        return any(self._state_of(number) == "COMPLETED" for number in run_ids)

    def _some_failed(self, before: set[str]) -> bool:
        return any(self._state_of(number) == "ERRORED" for number in self._runs() - before)

    def _settle(self, where: str) -> None:
        """Until every import that was begun has ended; who interrupts another upload has waited for its own."""
        if where == "there":
            return
        deadline = time.monotonic() + 30
        while self.uploads_served < self.uploads_begun:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        while self.threads:
            self.threads.pop().join(30)
        self._pace.import_seconds = 0.0
