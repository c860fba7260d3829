"""What the page about the component says is true: its tables, and every component that is written on any page."""

import inspect
import re
import textwrap

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from cognee_dagster import CogneeComponent
from cognee_dagster.dagster.component.alerts import Alerts
from cognee_dagster.dagster.component.discovery import DiscoveryAttributes
from cognee_dagster.dagster.component.scaffolder import EXAMPLE_FILE, CogneeComponentScaffolder
from tests.printed import Block, blocks
from tests.unit.test_docs import PAGES, ROOT, fields_of_model

PAGE = ROOT / "docs" / "component.md"
_DOCSTRING = inspect.getdoc(CogneeComponent) or ""
IN_CODE = Block("docstring", 0, "yaml", textwrap.dedent(_DOCSTRING.partition(".. code-block:: yaml\n")[2]), file=None)
COMPONENTS = [
    IN_CODE,
    *(block for page in PAGES for block in blocks(page, "yaml") if "type: cognee_dagster." in block.text),
]


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
