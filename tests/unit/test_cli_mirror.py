"""``push --sync incremental`` and ``plan``."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from cognee_dagster.pushing.mirror.graph.records import NotMirrorableError
from cognee_dagster.testing import FakeRemote
from cognee_dagster.testing.faults import answer
from cognee_dagster.testing.plugin import fake_remote, fake_remote_environment

__all__ = ["fake_remote", "fake_remote_environment"]  # fixtures
from tests.command_line import call


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_remote_environment: FakeRemote) -> Path:
    """A graph file of five nodes; the home directory, where mirrors are kept, is the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "friends.graphml"
    nx.write_graphml(nx.path_graph(["ada", "bea", "cyd", "dot", "eve"], create_using=nx.DiGraph), path)
    return path


def without(source: Path, *names: str) -> None:
    graph = nx.read_graphml(source)
    graph.remove_nodes_from(names)
    nx.write_graphml(graph, source)


def test_a_push_ends_with_what_it_did(source: Path) -> None:
    first = call("push", str(source), "--sync", "incremental")
    assert first.stdout.endswith("\n+5 ~0 -0 nodes, +4 ~0 -0 edges; 1 of 1 segment sent, 0 replaced\n")
    assert "segment" not in call("push", str(source), "--sync", "incremental").stdout
    without(source, "eve")
    second = call("push", str(source), "--sync", "incremental", "--max-removed", "50%")
    assert second.stdout.endswith("\n+0 ~0 -1 nodes, +0 ~0 -1 edges; 1 of 1 segment sent, 1 replaced\n")
    assert "segment" not in call("push", str(source)).stdout


def test_plan_says_what_a_push_then_does(source: Path, fake_remote_environment: FakeRemote) -> None:
    first = call("plan", str(source), "--json")
    assert (first.exit_code, json.loads(first.stdout)["in_sync"]) == (10, False)
    assert fake_remote_environment.uploads == []
    assert call("push", str(source), "--sync", "incremental").exit_code == 0
    assert call("plan", str(source)).exit_code == 0
    in_sync = call("plan", str(source)).stdout
    assert "in sync since" in in_sync
    without(source, "eve")
    changed = call("plan", str(source), "--max-removed", "50%")
    assert "removed nodes, such as " in changed.stdout
    assert "last confirmed for a push of" in changed.stdout
    assert "the server would take about" in changed.stdout
    assert changed.exit_code == 10
    assert changed.stdout.startswith(f"friends on {fake_remote_environment.url}: +0 ~0 -1 nodes, +0 ~0 -")
    again = call("push", str(source), "--sync", "incremental", "--max-removed", "50%", "--json")
    assert json.loads(again.stdout)["remote_response"]["mirror"]["nodes"]["removed"] == 1
    for waiting in ([], ["--background", "--wait"]):
        unchanged = call("push", str(source), "--sync", "incremental", "--json", *waiting)
        assert json.loads(unchanged.stdout)["status"] == "unchanged"
        in_words = call("push", str(source), "--sync", "incremental", *waiting)
        assert "nothing changed: +0 ~0 -0 nodes, +0 ~0 -0 edges" in in_words.stdout


def test_a_dataset_of_somebody_elses_would_be_refused_and_not_be_made(
    source: Path, fake_remote_environment: FakeRemote
) -> None:
    remote = fake_remote_environment
    owner = remote.add_user("owner@example.com")
    remote.state.ensure_dataset("friends", owner)
    remote.grant("friends", remote.admin, "read", owner=owner)
    planned = call("plan", str(source))
    assert planned.exit_code == call("push", str(source), "--sync", "incremental").exit_code == 2
    assert (
        f"A push would be refused: The dataset 'friends' on {remote.url} belongs to user {owner.id}" in planned.stdout
    )
    assert "would be made" not in planned.stdout


def test_a_dry_run_is_a_plan(source: Path, fake_remote_environment: FakeRemote) -> None:
    ended = call("push", str(source), "--sync", "incremental", "--dry-run", "--json")
    assert ended.exit_code == 10
    assert json.loads(ended.stdout) == json.loads(call("plan", str(source), "--json").stdout)
    assert fake_remote_environment.uploads == []


def test_a_plan_of_a_push_that_removes_too_much_exits_as_the_push_does(source: Path) -> None:
    call("push", str(source), "--sync", "incremental")
    without(source, "dot", "eve")
    planned = call("plan", str(source), "--json")
    assert planned.exit_code == call("push", str(source), "--sync", "incremental").exit_code == 9
    assert "max_removed is 20%" in json.loads(planned.stdout)["refusal"]
    assert call("plan", str(source), "--max-removed", "1").exit_code == 10


def test_a_plan_of_a_graph_that_cannot_be_mirrored_says_why_and_exits_as_the_push_would(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise NotMirrorableError("node 'ann' has an id that is no UUID")

    monkeypatch.setattr("cognee_dagster.pushing.mirror.mirror.read_fingerprints", refuse)
    planned = call("plan", str(source))
    assert planned.exit_code == 10
    assert ": all of the graph would be sent, 5 nodes and 4 edges, about " in planned.stdout
    assert (
        "kB in 1 archive; nothing removed\nIt cannot be mirrored: node 'ann' has an id that is no UUID"
        in planned.stdout
    )
    refused = (str(source), "--on-removed", "fail")
    assert call("plan", *refused).exit_code == call("push", *refused, "--sync", "incremental").exit_code == 1
    assert call("push", str(source), "--sync", "incremental").exit_code == 0


def keys_of(value: Any) -> set[str]:
    """The names of all fields."""
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for one in value.values() for key in keys_of(one)}


def test_the_help_of_plan_names_the_fields_of_its_json_and_no_others(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = call("plan", str(source), "--json").stdout
    call("push", str(source))
    without(source, "eve")
    call("push", str(source), "--sync", "incremental")  # beside what a full push has brought
    kept = call("plan", str(source), "--on-removed", "keep", "--json").stdout

    def refuse(*_: Any) -> None:
        raise NotMirrorableError("it has none")

    monkeypatch.setattr("cognee_dagster.pushing.mirror.mirror.read_fingerprints", refuse)
    plans = [json.loads(plan) for plan in (whole, kept, call("plan", str(source), "--json").stdout)]
    fields = {key for plan in plans for key in keys_of(plan)}
    said = call("plan", "--help").stdout.partition("With --json:")[2].partition("Options:")[0]
    words = set(re.findall(r"[a-z_]+", said))
    assert fields - words == set()
    assert {word for word in words if "_" in word} - fields == set()


def test_a_dry_run_that_adopts_says_that_it_would_delete_what_others_brought(
    source: Path, fake_remote_environment: FakeRemote
) -> None:
    whole = source.read_bytes()
    call("push", str(source))
    without(source, "eve")
    call("push", str(source), "--sync", "incremental")
    assert call("plan", str(source)).exit_code == 0
    adopting = ("push", str(source), "--sync", "incremental", "--adopt", "--max-removed", "30%")
    planned = call(*adopting, "--dry-run")
    assert (planned.exit_code, "has all of the graph" in planned.stdout) == (10, True)
    assert "What full pushes and other mirrors have brought and the graph does not have would be" in planned.stdout
    assert "would be removed: at most -1 of 5 nodes, -1 of 4 edges, -0 of 0 documents" in planned.stdout
    as_json = json.loads(call(*adopting, "--dry-run", "--json").stdout)
    assert (as_json["in_sync"], as_json["adopts"]) == (False, True)
    before = len(fake_remote_environment.graph("friends").nodes)
    assert json.loads(call(*adopting, "--json").stdout)["status"] == "completed"
    assert len(fake_remote_environment.graph("friends").nodes) < before
    source.write_bytes(whole)
    assert "would be removed" not in call("plan", str(source)).stdout


@pytest.mark.parametrize("brought_by", [(), ("--sync", "incremental")], ids=["a full push", "another mirror"])
@pytest.mark.parametrize("said", [(), ("--on-removed", "fail"), ("--on-removed", "keep")], ids=str)
def test_what_an_adoption_removes_counts_whoever_has_brought_it(
    source: Path, fake_remote_environment: FakeRemote, brought_by: tuple[str, ...], said: tuple[str, ...]
) -> None:
    call("push", str(source), *brought_by)
    few = source.rename(source.with_name("few.graphml"))
    without(few, "cyd", "dot", "eve")
    adopting = ("push", str(few), "--target-dataset", "friends", "--sync", "incremental", "--adopt", *said)
    uploads, whole = len(fake_remote_environment.uploads), set(fake_remote_environment.graph("friends").nodes)
    planned, pushed = call(*adopting, "--dry-run"), call(*adopting)
    for told in (planned.stdout, pushed.stderr):
        assert "would remove up to 3 nodes of 5, 3 edges of 4 from 'friends' on" in told
    assert "at most -3 of 5 nodes, -3 of 4 edges" in planned.stdout
    assert (planned.exit_code, pushed.exit_code) == (9, 9)
    assert len(fake_remote_environment.uploads) == uploads
    assert set(fake_remote_environment.graph("friends").nodes) == whole
    if "fail" not in said:
        adopted = call(*adopting, "--max-removed", "1")
        assert adopted.exit_code == 0
        assert "of what others had brought at most -3 of 5 nodes, -3 of 4 edges" in adopted.stdout
        assert len(fake_remote_environment.graph("friends").nodes) == 2


def test_an_adoption_of_which_nobody_can_tell_what_it_removes_is_refused_unless_all_may_go(
    source: Path, fake_remote_environment: FakeRemote
) -> None:
    call("push", str(source))
    path = f"/api/v1/datasets/{fake_remote_environment.dataset('friends').id}/graph"
    fake_remote_environment.faults.on(path, *[answer(400)] * 2)
    adopting = ("push", str(source), "--sync", "incremental", "--adopt")
    refused = call(*adopting)
    assert "It cannot be told how much a push with adopt would remove" in refused.stderr
    assert refused.exit_code == 9
    assert call(*adopting, "--max-removed", "1").exit_code == 0


def test_verify_is_exact_after_a_push_and_names_what_differs(source: Path, fake_remote_environment: FakeRemote) -> None:
    call("push", str(source), "--sync", "incremental")
    exact = call("verify", str(source))
    assert (exact.exit_code, "friends on http" in exact.stdout, "is exact: " in exact.stdout) == (0, True, True)
    whole = source.read_bytes()
    without(source, "eve")
    besides = json.loads(call("verify", str(source), "--json").stdout)
    assert (besides["exact"], besides["nodes"]["missing"]["count"], besides["nodes"]["extra"]["count"]) == (False, 0, 1)
    call("push", str(source), "--sync", "incremental", "--max-removed", "1")
    source.write_bytes(whole)
    lacking = call("verify", str(source))
    assert lacking.exit_code == 10
    assert re.search(r"1 node missing, such as [0-9a-f-]{36} eve$", lacking.stdout, re.MULTILINE)
    assert re.search(r"missing, such as ([0-9a-f-]{36}) \w+ ([0-9a-f-]{36}) \(.*eve.*\)", lacking.stdout)


def test_verify_calls_a_graph_exact_only_if_types_and_properties_are_the_same(
    source: Path, fake_remote_environment: FakeRemote
) -> None:
    call("push", str(source))
    nodes = fake_remote_environment.graph("friends").nodes
    node_id = next(iter(nodes))
    nodes[node_id] = replace(nodes[node_id], properties={**nodes[node_id].properties, "description": "Somebody else."})
    ended = call("verify", str(source))
    assert ended.exit_code == 10
    named = f"{node_id} {nodes[node_id].name} (description)"
    assert f"1 node there with another type or property, such as {named}" in ended.stdout
    assert json.loads(call("verify", str(source), "--json").stdout)["nodes"]["changed"]["count"] == 1


def test_verify_says_what_it_cannot_see(source: Path) -> None:
    call("push", str(source))
    assert (
        "not compared, as the remote does not show them: texts and validity of edges"
        in call("verify", str(source)).stdout
    )


def test_verify_without_such_a_dataset_says_so(source: Path) -> None:
    ended = call("verify", str(source))
    assert (ended.exit_code, "has no dataset 'friends'" in ended.stderr) == (4, True)


def test_too_much_removed_ends_with_one_and_says_how_to_allow_it(source: Path) -> None:
    call("push", str(source), "--sync", "incremental")
    without(source, "dot", "eve")
    ended = call("push", str(source), "--sync", "incremental")
    assert (ended.exit_code, "max_removed is 20%: nothing was sent" in ended.stderr) == (9, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--dry-run"], "--dry-run says what --sync incremental would do"),
        (["--max-removed", "0.5"], "only --sync incremental removes anything"),
        (["--sync", "incremental", "--max-removed", "200%"], "not a share from 0 to 1"),
        (["--sync", "incremental", "--mode", "hybrid"], "cannot be mirrored in mode hybrid"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(source: Path, options: list[str], said: str) -> None:
    ended = call("push", str(source), *options)
    assert ended.exit_code == 2
    assert said in ended.stderr
