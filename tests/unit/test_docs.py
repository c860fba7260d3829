"""The documentation says what the code does: names, defaults, messages, links and code blocks are compared with it."""

import ast
import dataclasses
import importlib.util
import inspect
import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
from pydantic_core import PydanticUndefined

import cognee_dagster
from bench.__main__ import main as bench_command
from bench.page import replaced
from bench.parts import PARTS
from cognee_dagster import (
    CogneeDataset,
    CogneeRemote,
    CogxArchiveIOManager,
    LocalCognee,
    Probe,
    PushFailure,
    PushResult,
    RepushPolicy,
    build_alert_sensor,
    build_dataset_assets,
    build_definitions,
    build_discovery_sensor,
    build_import_sensor,
    build_repush_sensor,
    errors,
    push,
    push_archive,
)
from cognee_dagster.cli import main
from cognee_dagster.cli.exit_codes import MEANINGS
from cognee_dagster.cogx.format import MAX_MEMBERS
from cognee_dagster.cogx.read.safe_members import MAX_LINE_BYTES
from cognee_dagster.dagster import keys
from cognee_dagster.dagster.code_location import PREFIX, CodeLocationSettings
from cognee_dagster.dagster.config import PushConfig
from cognee_dagster.dagster.event_log import reports
from cognee_dagster.dagster.remote_target import DeliveryOptions, RemoteTarget
from cognee_dagster.dagster.sensors import scan
from cognee_dagster.dagster.sensors.policies import WatchPolicy
from cognee_dagster.dagster.steps import step
from cognee_dagster.environment import ENV_FILE_VARIABLE
from cognee_dagster.pushing.mirror.graph.segments import SEGMENT_NODES, usual_segment_nodes
from cognee_dagster.pushing.options import DeliverySettings
from cognee_dagster.remote.https_settings import RemoteSettings
from cognee_dagster.remote.imports.verdict import STALLED_AFTER
from cognee_dagster.remote.retry import RetryPolicy
from cognee_dagster.sources.cognee.config import DATA_ROOT_VARIABLE, PYTHON_VARIABLE, SYSTEM_ROOT_VARIABLE
from tests.printed import PAGES, blocks, commands
from tests.unit import test_fault_matrix as fault_matrix

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
WHAT_CAN_GO_WRONG = (ROOT / "docs" / "what-can-go-wrong.md").read_text(encoding="utf-8")
REQUIRED = "required"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


# The reference against the code


def table(name: str) -> dict[str, str]:
    """The table of the configuration page after ``<!-- table: name -->``: first cell -> second, without backticks."""
    rows = CONFIGURATION.split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()[2:]
    cells = (re.split(r"(?<!\\)\|", row.strip("|")) for row in rows)
    return {first.strip().strip("`"): second.strip().strip("`") for first, second, *_ in cells}


def shown(default: Any) -> str:
    """A default as the page spells it."""
    if default in (inspect.Parameter.empty, dataclasses.MISSING, PydanticUndefined):
        return REQUIRED
    if isinstance(default, (dg.DefaultSensorStatus, dg.DefaultScheduleStatus)):
        return str(default.name)
    return json.dumps(default) if isinstance(default, str) else repr(default)


def fields_of_model(model: Any) -> dict[str, str]:
    """The fields that a resource or settings class itself declares."""
    return {
        name: shown(field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
        if name in model.__annotations__
    }


def fields_of_dataclass(kind: Any, *, without: Any = None) -> dict[str, str]:
    left_out = {field.name for field in dataclasses.fields(without)} if without else set()
    return {
        field.name: shown(field.default if field.default_factory is dataclasses.MISSING else field.default_factory())
        for field in dataclasses.fields(kind)
        if field.name not in left_out
    }


def parameters(function: Callable[..., Any]) -> dict[str, str]:
    return {name: shown(parameter.default) for name, parameter in inspect.signature(function).parameters.items()}


def variables(model: Any, names: Mapping[str, str]) -> dict[str, str]:
    return {names[name]: default for name, default in fields_of_model(model).items()}


DEFAULTS: dict[str, dict[str, str]] = {
    "code location": variables(
        CodeLocationSettings, {name: PREFIX + name.upper() for name in CodeLocationSettings.model_fields}
    ),
    "CogneeDataset": fields_of_dataclass(CogneeDataset),
    "RemoteTarget": fields_of_dataclass(RemoteTarget, without=DeliveryOptions),
    "Probe": fields_of_dataclass(Probe),
    "CogneeRemote": fields_of_model(CogneeRemote),
    "LocalCognee": fields_of_model(LocalCognee),
    "CogxArchiveIOManager": fields_of_model(CogxArchiveIOManager),
    "build_definitions": parameters(build_definitions),
    "build_dataset_assets": parameters(build_dataset_assets),
    "build_import_sensor": parameters(build_import_sensor),
    "build_repush_sensor": parameters(build_repush_sensor),
    "build_alert_sensor": parameters(build_alert_sensor),
    "build_discovery_sensor": parameters(build_discovery_sensor),
    "PushFailure": fields_of_model(PushFailure),
    "RepushPolicy": fields_of_dataclass(RepushPolicy),
    "push": parameters(push),
    "push_archive": parameters(push_archive),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_reference_lists_every_field_with_its_default(name: str) -> None:
    assert table(name) == DEFAULTS[name]


def test_the_reference_lists_the_options_that_a_target_shares_with_a_dataset() -> None:
    section = CONFIGURATION.partition("### `RemoteTarget`")[2].partition("\n## ")[0]
    assert all(f"`{field.name}`" in section for field in dataclasses.fields(DeliveryOptions))


def test_the_reference_lists_every_variable_of_the_remote() -> None:
    assert set(table("remote environment")) == {
        str(field.validation_alias) for field in RemoteSettings.model_fields.values()
    }


def test_the_reference_lists_the_variables_of_the_local_cognee() -> None:
    names = {SYSTEM_ROOT_VARIABLE, DATA_ROOT_VARIABLE, ENV_FILE_VARIABLE, PYTHON_VARIABLE}
    assert set(table("local environment")) == names


def test_the_reference_lists_what_can_be_said_at_launch() -> None:
    assert set(table("PushConfig")) == set(PushConfig.model_fields)


def test_the_reference_lists_the_fields_of_a_push_result() -> None:
    assert set(table("PushResult")) == {field.name for field in dataclasses.fields(PushResult)}


def test_the_reference_lists_every_metadata_key_and_check() -> None:
    constants = {name: value for name, value in vars(keys).items() if name.isupper()}
    checks = {value for name, value in constants.items() if name.startswith("CHECK_")}
    assert set(table("checks")) == checks
    tags = {value for name, value in constants.items() if name.endswith("_TAG")}
    ours = set(constants.values()) - checks - tags
    assert set(table("metadata")) == ours | {"dagster/uri"}
    for tag in tags:
        assert f"`{tag}`" in CONFIGURATION


def test_the_reference_lists_how_an_import_can_end() -> None:
    assert set(table("status")) == reports.ENDED


def test_the_reference_lists_every_exit_code_with_its_meaning() -> None:
    assert table("exit codes") == {str(code.value): meaning for code, meaning in MEANINGS.items()}


def test_the_reference_lists_every_command_with_its_options() -> None:
    documented, found = table("command line"), commands_of(main)
    assert set(documented) == set(found)
    for name, command in found.items():
        assert set(re.findall(r"--[\w-]+", documented[name])) == options_of(command)


def test_every_public_name_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in cognee_dagster.__all__ if name != "__version__" and f"`{name}" not in text] == []


# Messages and faults


@cache
def messages() -> str:
    """Every text in the code as its reader sees it, with … for what is filled in."""
    texts = []
    for module in sorted((ROOT / "cognee_dagster").rglob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                texts.append("".join(str(part) for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"%[\d.]*[a-z]", "…", node.value))
    return "\n".join(texts)


def test_the_messages_in_the_troubleshooting_guide_are_those_of_the_code() -> None:
    headings = re.findall(r"^### `(.+)`$", TROUBLESHOOTING, flags=re.MULTILINE)
    ours = [heading for heading in headings if not heading.startswith("dagster")]
    assert len(ours) > 30
    assert [heading for heading in ours if heading not in messages()] == []


def test_the_troubleshooting_guide_names_every_error() -> None:
    kinds = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert [name for name in kinds if f"`{name}`" not in TROUBLESHOOTING] == []


def test_the_table_of_faults_names_every_case_of_the_fault_matrix() -> None:
    fails = fault_matrix.test_a_fault_that_stays_ends_in_an_error_that_says_what_to_do_and_leaves_no_graph
    ids = [name for mark in getattr(fails, "pytestmark", ()) for name in mark.kwargs["ids"]]
    cases = {case.name for case in fault_matrix.HEALS} | set(ids) - {"foreground", "background"}
    matrix = WHAT_CAN_GO_WRONG.split("## When something dies")[0]
    assert set(re.findall(r"`(\w+)` \|$", matrix, flags=re.MULTILINE)) == cases


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        ("The upload failed (attempt 1 of {})", RetryPolicy().attempts),
        ("`max_attempts` ({}) times", RetryPolicy().attempts),
        ("`Retry-After` says (at most `retry_within`, {} s)", RetryPolicy().within),
        ("ends a request within {} s (`retry_within`)", RetryPolicy().within),
        ("the import that the upload started ({} s, ", DeliverySettings().recovery_timeout),
        ("and {} ms a document", DeliverySettings().recovery_per_document * 1000),
        ("the run began more than {} hours ago", STALLED_AFTER / timedelta(hours=1)),
        ("and pushes too, every {} minutes", scan.AUDIT_INTERVAL_SECONDS / 60),
        ("The upload's progress, every {} s", step.PROGRESS_INTERVAL),
    ],
)
def test_the_times_and_counts_of_what_can_go_wrong_are_those_of_the_code(sentence: str, figure: float) -> None:
    assert sentence.format(f"{figure:g}") in WHAT_CAN_GO_WRONG


def test_how_often_a_push_looks_and_how_a_mirror_is_cut_is_said_as_it_is() -> None:
    pages = ("how-imports-are-watched.md", "architecture.md")
    watched, architecture = ((ROOT / "docs" / page).read_text(encoding="utf-8") for page in pages)
    assert f"the poll interval of a push ({DeliverySettings().poll_interval:g} s)" in watched
    sizes = {num_nodes: usual_segment_nodes(num_nodes) for num_nodes in (15, 15_000, 1_000_000)}
    assert sizes == {15: 250, 15_000: 1_000, 1_000_000: SEGMENT_NODES}
    assert f"Segments of a fifteenth of the graph, from {sizes[15]} to {SEGMENT_NODES:,} nodes" in architecture


def test_an_import_has_stalled_after_the_same_time_for_everybody() -> None:
    defaults = (DeliverySettings().stalled_after, timedelta(seconds=WatchPolicy().stalled_after))
    assert set(defaults) == {STALLED_AFTER}


def test_the_limits_of_an_archive_on_the_security_page_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"more than {MAX_MEMBERS:,} files" in page
    assert f"a record (a line) over {MAX_LINE_BYTES >> 20} MiB" in page


# Links, code, commands


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    return set(anchors_in_order(_without_code(page.read_text(encoding="utf-8"))))


def anchors_in_order(text: str, *, level: str = "#+") -> list[str]:
    headings = re.findall(rf"^{level} (.+)$", text, flags=re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@each_page
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text(encoding="utf-8"))):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to {target}"


@each_page
def test_the_contents_of_a_page_lead_to_every_section(page: Path) -> None:
    text = _without_code(page.read_text(encoding="utf-8"))
    contents = re.search(r"^Contents: .+?\n\n", text, flags=re.MULTILINE | re.DOTALL)
    if contents is not None:
        listed = re.findall(r"\]\(#([^)]+)\)", contents[0])
        assert listed == [anchor for anchor in anchors_in_order(text) if anchor in listed], "in the page's order"
        assert set(anchors_in_order(text, level="##")) - set(listed) == set()


@each_page
def test_python_in_the_docs_compiles_and_its_definitions_load(page: Path) -> None:
    for block in blocks(page, "python"):
        compiled = compile(block.text, str(block), "exec")
        if re.search(r"^defs = ", block.text, flags=re.MULTILINE):
            namespace: dict[str, Any] = {}
            exec(compiled, namespace)
            dg.Definitions.validate_loadable(namespace["defs"])


@each_page
def test_commands_in_the_docs_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for command in every_command(page):
        words = command.split()
        if words[0] == "make":
            assert set(words[1:2]) <= targets, command
            tests = re.findall(r'PYTEST_ARGS="([^"]+)"', command)
            assert [path for path in tests if not (ROOT / path).exists()] == [], command
        elif words[0] == "cognee-dagster" and words[1:2] and not words[1].startswith("-"):
            found = commands_of(main)
            name = " ".join(words[1:3]) if words[1] not in found else words[1]
            assert name in found, command
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert used <= options_of(found[name]) | {"--help"}, command


def test_each_part_of_the_benchmark_has_its_place_on_its_page_and_a_row_in_its_table() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert re.findall(r"^<!-- bench: (\w+) -->$", page, flags=re.MULTILINE) == list(PARTS)
    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE)[: len(PARTS)] == list(PARTS)
    for name in PARTS:
        assert replaced(page, name, "new") != page


def test_commands_of_the_benchmark_in_the_docs_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = [line.partition("#")[0] for line in every_command(ROOT / "docs" / "performance.md")]
    arguments = [re.search(r"-m bench (.*)|BENCH_ARGS=\"(.*)\"", line) for line in lines]
    modules = [module for line in lines for module in re.findall(r"-m (bench\.\w+)", line)]
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []
    given = [shlex.split(found[1] or found[2]) for found in arguments if found]
    assert given
    for words in given:
        bench_command.make_context("bench", words)  # refuses a part or option that is not there


def options_of(command: click.Command) -> set[str]:
    return {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option != "--help"
    }


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """The commands, those of a group within under both names: ``archives prune``."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        inner = commands_of(command) if isinstance(command, click.Group) else None
        found |= {name: command} if inner is None else {f"{name} {last}": each for last, each in inner.items()}
    return found


def every_command(page: Path) -> Iterator[str]:
    """The commands that a page's shell blocks and sessions show, each on one line."""
    for block in blocks(page, "bash", "console"):
        yield from (command.text.replace("\\\n", " ") for command in commands(block))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
