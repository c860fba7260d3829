"""Dagster's own pages over the chains of a small shop, in a real browser: what ``test_browser.py`` looks at.

Two chains of one group with names that tell them apart, one with a partition for each region, one to fail, and one
with nothing but its name, pushed in the background: as the pages show a chain first.

With ``DOCS_PICTURES=docs/images`` the tests write their pages as the documentation shows them.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from cognee_dagster.testing import FakeRemote
from tests.dagster_project import DagsterUI, dagster_dev

PAGE_SECONDS = 120.0
RUN_SECONDS = 300.0
SIZE = (1280, 800)
REGIONS = ("north", "south", "west")
DEMO_SIZE = (47, 86)  # nodes and edges, as many as Cognee's own demo has
LOCATION = "shop.py"
PICTURES_VARIABLE = "DOCS_PICTURES"

CODE_LOCATION = """
import dagster as dg
from cognee_dagster import (
    CogneeDataset, CogneeRemote, CogneeTranslator, CogxArchiveIOManager, Probe, build_definitions
)

names = CogneeTranslator(dataset_in_names=True)
shared = {"translator": names, "group_name": "shop"}
defs = dg.Definitions.merge(
    build_definitions(
        [
            CogneeDataset(name="catalogue", graph="catalogue.json", **shared),
            CogneeDataset(name="suppliers", graph="suppliers.json", run_in_background=True, **shared),
            CogneeDataset(
                name="region_{partition}",
                asset_name="regions",
                graph="{partition}.json",
                partitions_def=["north", "south", "west"],
            ),
            CogneeDataset(name="reviews", graph="suppliers.json", retry_policy=dg.RetryPolicy(max_retries=0)),
            CogneeDataset(name="demo", graph="demo.json", run_in_background=True),
        ],
        remote=CogneeRemote(url=dg.EnvVar("SHOP_COGNEE_URL"), api_key=dg.EnvVar("SHOP_COGNEE_KEY"), max_attempts=1),
        archives=CogxArchiveIOManager(base_directory="archives"),
    ),
    dg.Definitions(executor=dg.in_process_executor),
)
"""
SETTINGS = "telemetry: {enabled: false}\nnux: {enabled: false}\n"

PRODUCTS = (
    ("Kelp Green Tea", "Northwind Traders"),
    ("Aniseed Syrup", "Northwind Traders"),
    ("Ginger Marmalade", "Northwind Traders"),
    ("Cloudberry Jam", "Northwind Traders"),
    ("Rye Crispbread", "Fjord Bakery"),
    ("Cardamom Buns", "Fjord Bakery"),
    ("Oat Biscuits", "Fjord Bakery"),
    ("Goat Cheese", "Hill Farm"),
    ("Smoked Butter", "Hill Farm"),
    ("Heather Honey", "Hill Farm"),
    ("Pickled Herring", "Harbour Fish"),
    ("Salted Cod", "Harbour Fish"),
)
CUSTOMERS = ("Corner Café", "Hotel Baltic", "Market Hall", "Station Kiosk", "Village Shop")
TOWNS = {
    "Northwind Traders": "Aarhus",
    "Fjord Bakery": "Bergen",
    "Hill Farm": "Inverness",
    "Harbour Fish": "Aarhus",
    "Hotel Baltic": "Rostock",
    "Market Hall": "Bergen",
    "Station Kiosk": "Aarhus",
}


def shop_graph() -> Any:
    """Suppliers, what they deliver, who buys it and where they are."""
    graph = nx.MultiDiGraph()

    def node(name: str, kind: str) -> str:
        graph.add_node(name, name=name, type=kind, description=f"{name}, a {kind.lower()} of the shop's.")
        return name

    for product, supplier in PRODUCTS:
        graph.add_edge(node(supplier, "Supplier"), node(product, "Product"), key="supplies")
    lots = random.Random(4)
    for customer in CUSTOMERS:
        for product, _ in lots.sample(PRODUCTS, 3):
            graph.add_edge(node(customer, "Customer"), product, key="buys")
    for name, town in TOWNS.items():
        graph.add_edge(name, node(town, "Town"), key="is in")
    return graph


_RUNS = "query { runsOrError { ... on Runs { results { id } } } }"


@dataclass(frozen=True)
class ShopSite:
    """A running ``dagster dev``, the remote that it pushes to, and a browser."""

    ui: DagsterUI
    remote: FakeRemote
    browser: Browser
    directory: Path

    @contextmanager
    def page(self, path: str, *, size: tuple[int, int] = SIZE) -> Iterator[Page]:
        """A page of Dagster's."""
        page = self.browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.set_default_timeout(PAGE_SECONDS * 1000)
        page.goto(self.ui.url + path)
        try:
            yield page
        finally:
            page.close()

    def keep_picture(
        self, page: Page, name: str, *, part: Locator | None = None, clip: tuple[int, int, int, int] | None = None
    ) -> None:
        """Writes what is shown to the documentation's pictures, if they are being made.

        Args:
            page: The page.
            name: The picture's.
            part: The part of the page that is kept.
            clip: Or the left, top, width and height of it.
        """
        directory = os.environ.get(PICTURES_VARIABLE)
        if not directory:
            return
        time.sleep(1)  # until nothing moves any more
        path = Path(directory) / f"{name}.png"
        if part is not None:
            part.screenshot(path=path)
        elif clip is not None:
            page.screenshot(path=path, clip=dict(zip(("x", "y", "width", "height"), map(float, clip), strict=True)))  # type: ignore[arg-type]
        else:
            page.screenshot(path=path)

    def push(self, *assets: list[str]) -> str:
        """Launches a run of these assets; returns how it ended."""
        return self.ui.wait_for_run(self.ui.launch(*assets, location=LOCATION), timeout=RUN_SECONDS)

    def new_runs(self, number: int, *, known: set[str]) -> list[str]:
        """How so many runs ended that are not known yet."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            fresh = self.run_ids() - known
            if len(fresh) >= number:
                return [self.ui.wait_for_run(run_id, timeout=RUN_SECONDS) for run_id in fresh]
            time.sleep(0.5)
        raise AssertionError(f"the page has launched {len(self.run_ids() - known)} of {number} runs")

    def run_ids(self) -> set[str]:
        """All runs that there are."""
        return {run["id"] for run in self.ui.ask(_RUNS)["runsOrError"]["results"]}


def chain(dataset: str, *, named: bool = False) -> list[list[str]]:
    """The keys of a dataset's assets that a run materializes."""
    prefix = f"{dataset}_" if named else ""
    return [[dataset, f"{prefix}{last}"] for last in ("cognified_graph", "cogx_archive", "remote_push")]


@contextmanager
def shop_site(directory: Path, chromium: str) -> Iterator[ShopSite]:
    """Everything, started over this empty directory."""
    (directory / LOCATION).write_text(CODE_LOCATION)
    (directory / "dagster.yaml").write_text(SETTINGS)
    (directory / "empty.env").touch()
    _write_graphs(directory)
    with ExitStack() as stack:
        remote = stack.enter_context(FakeRemote())
        environ = {
            **DagsterUI.environment(home=directory),
            "DAGSTER_HOME": str(directory),
            "COGNEE_ENV_FILE": str(directory / "empty.env"),
            "SHOP_COGNEE_URL": remote.url,
            "SHOP_COGNEE_KEY": remote.api_key,
        }
        ui = stack.enter_context(dagster_dev(directory, environ, "-f", LOCATION))
        playwright = stack.enter_context(sync_playwright())
        # A root user has no sandbox to put the browser into.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        stack.callback(browser.close)
        yield ShopSite(ui, remote, browser, directory)


def _write_graphs(directory: Path) -> None:
    graph = shop_graph()
    files = {"catalogue": graph, "suppliers": _products_and(graph, "Supplier")}
    files |= dict.fromkeys(REGIONS, _products_and(graph, "Customer"))
    files["demo"] = nx.gnm_random_graph(*DEMO_SIZE, seed=4)
    for name, part in files.items():
        (directory / f"{name}.json").write_text(json.dumps(nx.node_link_data(part, edges="edges")))


def _products_and(graph: Any, kind: str) -> Any:
    return graph.subgraph([name for name, found in graph.nodes(data="type") if found in (kind, "Product")])
