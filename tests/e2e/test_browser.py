"""What a user sees: Dagster's own pages over the chains of a shop, in a real browser."""

import re
from collections.abc import Iterator
from itertools import combinations
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from cognee_dagster.dagster.steps.picture import CANVAS, WIDTH
from tests.e2e.shop_site import (
    DEMO_SIZE,
    PAGE_SECONDS,
    REGIONS,
    ShopSite,
    chain,
    shop_graph,
    shop_site,
)

pytestmark = pytest.mark.timeout(1200)

GROUP = "/locations/shop.py/asset-groups/{}/lineage"
CHAINS = ("catalogue", "suppliers")
KINDS = ("cognified_graph", "cogx_archive", "remote_push", "remote_graph")

# Where the browser has drawn names and nodes, with whatever fonts it has.
_BOXES = """
() => [...document.querySelectorAll("svg > text, svg > circle")].map(element => {
  const box = element.getBBox();
  return [element.tagName, [box.x, box.y, box.x + box.width, box.y + box.height]];
})
"""


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopSite]:
    with shop_site(tmp_path_factory.mktemp("shop"), chromium) as running:
        yield running


@pytest.fixture(scope="module")
def materialized(site: ShopSite) -> ShopSite:
    """The site, once somebody has pressed the button above its two chains."""
    known = site.run_ids()
    with site.page(GROUP.format("shop")) as page:
        page.get_by_role("button", name=re.compile(r"Materialize all \(6\)")).click()
        assert site.new_runs(1, known=known) == ["SUCCESS"]
    for dataset in CHAINS:
        site.ui.wait_for_materialization(dataset, f"{dataset}_remote_graph", timeout=180)
    return site


def test_the_asset_graph_tells_two_chains_apart(materialized: ShopSite) -> None:
    with materialized.page(GROUP.format("shop")) as page:
        for dataset in CHAINS:
            for kind in KINDS:
                page.get_by_text(f"{dataset}_{kind}", exact=True).first.wait_for()
        page.get_by_text("Materialized").nth(2).wait_for()
        materialized.keep_picture(page, "asset-graph", clip=(290, 325, 940, 260))


def test_materialize_pushes_what_the_asset_graph_shows(materialized: ShopSite) -> None:
    graph = materialized.remote.graph("catalogue")
    assert len(graph.nodes) == len(shop_graph().nodes)
    with materialized.page("/assets/catalogue/catalogue_remote_push") as page:
        for name, value in (("num_nodes", "25"), ("num_edges", "34"), ("status", "completed")):
            assert value in _row(page, name)
        assert materialized.remote.url in _row(page, "cognee/remote_url")
        link = page.get_by_role("link", name=materialized.remote.url).first
        assert link.get_attribute("href") == materialized.remote.url


def test_a_chain_shows_what_has_become_of_each_step(site: ShopSite) -> None:
    known, place, low = site.run_ids(), GROUP.format("demo"), (1440, 360)
    # Held, for else the import has ended before the push hangs up.
    with site.remote.hold_imports(), site.page(place, size=low) as page:
        page.get_by_role("button", name=re.compile(r"Materialize all \(3\)")).click()
        assert site.new_runs(1, known=known) == ["SUCCESS"]
    site.ui.wait_for_materialization("demo", "remote_graph", timeout=180)
    with site.page(place, size=low) as page:
        for kind in KINDS:
            page.get_by_text(kind, exact=True).first.wait_for()
        page.get_by_text("Materialized").nth(3).wait_for()
        page.get_by_text("3 / 3 Passed").wait_for()
        site.keep_picture(page, "asset-chain", clip=(240, 0, 1200, 320))
    with site.page("/assets/demo/remote_push", size=(1440, 1000)) as page:
        for name, value in zip(("num_nodes", "num_edges", "status"), (*DEMO_SIZE, "started"), strict=True):
            assert str(value) in _row(page, name)
        site.keep_picture(page, "remote-push", clip=(240, 0, 1200, 1000))


def test_the_picture_of_the_graph_can_be_read(materialized: ShopSite) -> None:
    with materialized.page("/assets/catalogue/catalogue_cognified_graph") as page:
        page.get_by_text("[Show Markdown]").first.click()
        picture = page.locator("[role=dialog] img").first
        picture.wait_for()
        assert picture.bounding_box()["width"] >= 0.9 * WIDTH  # type: ignore[index]
        source = picture.get_attribute("src")
        materialized.keep_picture(page, "graph-picture", part=page.locator("[role=dialog]").first)
        page.goto(str(source))
        drawn: list[tuple[str, list[float]]] = page.evaluate(_BOXES)
        shown = {unquote(text) for text in page.locator("svg > text").all_text_contents()}
    names = [box for tag, box in drawn if tag == "text"]
    circles = [box for tag, box in drawn if tag == "circle"]
    assert len(circles) == len(shop_graph().nodes)
    assert len(names) > 20
    assert {"Northwind Traders", "Hotel Baltic"} <= shown
    overlapping = [
        (one, other)
        for one, other in [*combinations(names, 2), *((n, c) for n in names for c in circles)]
        if _overlap(one, other)
    ]
    assert overlapping == []
    assert all(CANVAS.left - 1 <= left and right <= CANVAS.right + 1 for left, _, right, _ in names)


def test_a_backfill_in_the_dialog_pushes_every_partition(site: ShopSite) -> None:
    known = site.run_ids()
    with site.page(GROUP.format("regions")) as page:
        page.get_by_role("button", name=re.compile("Materialize all")).click()
        dialog = page.locator("[role=dialog]").first
        dialog.get_by_text("All", exact=True).click()
        dialog.get_by_text(f"{len(REGIONS)} partitions").first.wait_for()
        launch = dialog.get_by_role("button", name=re.compile("Launch .*backfill"))
        expect(launch).to_be_enabled(timeout=PAGE_SECONDS * 1000)
        site.keep_picture(page, "backfill", part=dialog)
        launch.click()
        assert site.new_runs(len(REGIONS), known=known) == ["SUCCESS"] * len(REGIONS)
    for region in REGIONS:
        assert len(site.remote.graph(f"region_{region}").nodes) > len(REGIONS)
    with site.page("/assets/regions/remote_graph?view=partitions") as page:
        for region in REGIONS:
            page.get_by_text(region, exact=True).first.wait_for()
        page.get_by_text(REGIONS[0], exact=True).first.click()
        page.get_by_text("pipeline_run_id").first.wait_for()
        site.keep_picture(page, "partitions", clip=(240, 0, 1040, 560))


def test_a_failed_check_says_first_why_and_what_to_do(site: ShopSite) -> None:
    site.remote.fail_next_import()
    assert site.push(*chain("reviews")) == "FAILURE"
    with site.page("/assets/reviews/remote_graph?view=checks") as page:
        page.get_by_text("Latest execution").wait_for()
        page.get_by_text("Failed").first.wait_for()
        text = _words(page)
        site.keep_picture(page, "failed-check", clip=(240, 106, 1040, 430))
    said = text.split("Latest execution")[1].split("Metadata")[0]
    assert f"The import into dataset 'reviews' on {site.remote.url}: the push failed." in said
    assert "its import failed; its log says which" in said


def test_the_sensors_page_lists_its_assets_and_a_cursor_that_can_be_read(materialized: ShopSite) -> None:
    with materialized.page("/locations/shop.py/sensors/cognee_import_sensor") as page:
        page.get_by_text("Target", exact=True).wait_for()
        page.get_by_text("remote_graph").nth(1).wait_for()
        page.get_by_text('"watermark":').first.wait_for()
        materialized.keep_picture(page, "import-sensor", clip=(240, 0, 1040, 480))
    with materialized.page("/assets/suppliers/suppliers_remote_graph") as page:
        page.get_by_text("cognee_import_sensor").first.wait_for()


def test_the_resources_page_says_which_remote_and_offers_no_secret(site: ShopSite) -> None:
    with site.page("/locations/shop.py/resources/cognee_remote") as page:
        page.get_by_text("SHOP_COGNEE_URL").first.wait_for()
        text = _words(page)
    assert "Resource dependencies" not in text
    assert "api_key" not in text
    assert site.remote.api_key not in text


def _words(page: Page) -> str:
    return " ".join(page.locator("body").inner_text().split())


def _row(page: Page, name: str) -> str:
    """The row of a metadata table that begins with this key."""
    row = page.locator("tr").filter(has=page.get_by_text(name, exact=True)).first
    row.wait_for()
    return row.inner_text()


def _overlap(one: list[float], other: list[float]) -> bool:
    """By more than the half pixel to which places are rounded."""
    return all(one[axis] < other[axis + 2] - 1 and other[axis] < one[axis + 2] - 1 for axis in (0, 1))
