"""What the page about the component says is true: its tables, and every component that is written on any page."""

import inspect
import re
import textwrap
from pathlib import Path

import dagster as dg
import networkx as nx
import pytest
from dagster.components.testing import create_defs_folder_sandbox
from dagster.components.testing.utils import component_defs

from cognee_dagster import CogneeComponent
from cognee_dagster.dagster.component.alerts import Alerts
from cognee_dagster.dagster.component.discovery import DiscoveryAttributes
from cognee_dagster.dagster.component.scaffolder import EXAMPLE_FILE, CogneeComponentScaffolder
from cognee_dagster.testing import FakeRemote
from tests.asset_chain import people
from tests.printed import PAGES, ROOT, Block, blocks
from tests.readers_machine import push_all, run_example
from tests.unit.test_docs import fields_of_model

PAGE = ROOT / "docs" / "component.md"
_DOCSTRING = inspect.getdoc(CogneeComponent) or ""
IN_CODE = Block("docstring", 0, "yaml", textwrap.dedent(_DOCSTRING.partition(".. code-block:: yaml\n")[2]), file=None)
COMPONENTS = [
    IN_CODE,
    *(block for page in PAGES for block in blocks(page, "yaml") if "type: cognee_dagster." in block.text),
]

(SUBCLASS,) = blocks(PAGE, "python")


def table(name: str) -> dict[str, str]:
    """The table of the page after ``<!-- table: name -->``: first cell -> second, without backticks."""
    rows = PAGE.read_text("utf-8").split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()[2:]
    cells = (re.split(r"(?<!\\)\|", row.strip("|")) for row in rows)
    return {first.strip().strip("`"): second.strip().strip("`") for first, second, *_ in cells}


@pytest.mark.parametrize("model", [CogneeComponent, Alerts, DiscoveryAttributes])
def test_the_page_lists_every_attribute_with_its_default(model: type[dg.Model]) -> None:
    assert table(model.__name__) == fields_of_model(model)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {found for block in COMPONENTS for found in re.findall(r"env\.(\w+)", block.text)}:
        monkeypatch.setenv(name, "https://cognee.example.com" if name.endswith("_URL") else "a-key")


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("block", COMPONENTS, ids=str)
def test_every_component_on_the_pages_loads(block: Block) -> None:
    with create_defs_folder_sandbox(project_name="northwind") as sandbox:
        directory = sandbox.defs_folder_path / "graphs"
        directory.mkdir(parents=True)
        (directory / "defs.yaml").write_text(block.text)
        with sandbox.build_all_defs() as defs:
            dg.Definitions.validate_loadable(defs)


def test_the_subclass_on_the_page_does_what_it_overrides(tmp_path: Path) -> None:
    nx.write_graphml(people(), tmp_path / "people.graphml")
    tenants: type[CogneeComponent] = run_example(SUBCLASS)[0]["Tenants"]
    with FakeRemote() as remote, dg.DagsterInstance.ephemeral() as instance:
        attributes = {
            "datasets": [{"name": "people", "graph": str(tmp_path / "people.graphml")}],
            "remote": {"url": remote.url, "api_key": remote.api_key},
            "archives": {"base_directory": str(tmp_path / "archives")},
        }
        defs = component_defs(component=tenants.from_attributes_dict(attributes=attributes))
        pushed = push_all(defs, instance)
        assert pushed.success
        logged = [entry.user_message for entry in instance.all_logs(pushed.run_id)]
        assert len(remote.uploads) == 1
    assert "remote_push of people begins" in logged
    graph = defs.resolve_asset_graph()
    assert {graph.get(key).tags["tenant"] for key in graph.materializable_asset_keys} == {"people"}


def test_the_page_shows_what_is_scaffolded() -> None:
    (shown,) = [block.text for block in COMPONENTS if EXAMPLE_FILE in block.text]
    with create_defs_folder_sandbox(project_name="northwind") as sandbox:
        directory = sandbox.scaffold_component(CogneeComponent, defs_path="graphs")
        written = (directory / "defs.yaml").read_text()
    module = CogneeComponent.__module__
    assert written.replace(f"type: {module}.", "type: cognee_dagster.") == shown
    options = CogneeComponentScaffolder.get_scaffold_params().model_fields
    assert [name for name in options if f"`--{name.replace('_', '-')}" not in PAGE.read_text("utf-8")] == []


def test_what_can_be_said_when_it_is_scaffolded_is_in_what_dg_shows() -> None:
    """``dg scaffold defs … --help`` shows the component's docstring, and no parameter's description."""
    shown = CogneeComponent.__doc__ or ""
    for name, option in CogneeComponentScaffolder.get_scaffold_params().model_fields.items():
        assert option.description
        assert f"``--{name.replace('_', '-')} " in shown
