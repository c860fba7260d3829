"""No code block of a page is left out: a test runs it as it is printed, or it is named here with why none does."""

import pytest

from tests.printed import PAGES, ROOT, Block, blocks
from tests.unit import test_component_docs, test_docs_run

# Prose in another form: diagrams, and what asset keys look like.
DRAWN = ("mermaid", "text")

# Collected from the pages by the tests themselves.
COLLECTED = {
    *test_docs_run.PYTHON,
    *test_docs_run.COMMANDS,
    *test_docs_run.OF_DOCUMENTS,
    *test_docs_run.ON_REAL_COGNEE,
    *test_component_docs.COMPONENTS,
    test_component_docs.SUBCLASS,
    test_docs_run.VARIABLES,
    test_docs_run.DRY_RUN,
}

# (page, how the block begins; nothing: all of the page) by the module of the tests that run them.
ELSEWHERE = {
    "tests/e2e/test_getting_started.py": [("docs/getting-started.md", "")],
    "tests/e2e/test_component_project.py": [("docs/component.md", "$ dg list components")],
    "tests/e2e/test_dg_project.py": [
        ("README.md", "export DAGSTER_HOME=~/dagster_home && mkdir -p $DAGSTER_HOME\ndg dev"),
        ("README.md", "export DAGSTER_HOME=~/dagster_home\ndg launch"),
        ("docs/guide.md", "dg launch --job"),
        ("docs/configuration.md", "dg launch --assets"),
    ],
    "tests/e2e/test_deployment.py": [
        ("docs/deployment.md", "docker compose -f deploy/compose.yaml exec code dagster job"),
        ("docs/deployment.md", "docker compose -f deploy/compose.yaml exec code dagster instance"),
    ],
    "tests/e2e/test_celery.py": [("docs/deployment.md", "execution:\n")],
    "tests/unit/test_docs_run.py": [
        ("docs/guide.md", "completed 47 86"),
        ("docs/guide.md", "MultiDiGraph with 47"),
        ("docs/bring-your-graph.md", "node_type:"),
    ],
    "tests/unit/test_tracing.py": [("docs/observability.md", "from opentelemetry import trace")],
    "tests/unit/test_openlineage.py": [("docs/observability.md", "event_log_storage:")],
    "tests/unit/test_testing_plugin.py": [("docs/testing-your-project.md", "")],
    "tests/unit/test_cursor.py": [("docs/how-imports-are-watched.md", "python -c")],
    "tests/unit/test_package.py": [("docs/support.md", "python -m hatchling build")],
    "tests/unit/test_northwind.py": [("examples/northwind/README.md", "pip install -e . pytest\npytest")],
    "tests/unit/test_demo_shown.py": [("README.md", "$ make demo")],
}

NOT_RUN = {
    ("README.md", "make test"): "the targets exist; to run all tests is not for a test",
    ("CONTRIBUTING.md", "make lint"): "the targets and the directories of tests exist",
    ("docs/performance.md", "make bench"): "hours; the parts and options exist",
    ("README.md", "pip install"): "2 GB; test_package.py installs the wheel, test_getting_started.py the checkout",
    ("docs/existing-project.md", "pip install"): "likewise",
    ("docs/observability.md", "pip install 'cognee-dagster[otel]"): "an exporter; test_package.py has the extra",
    ("docs/observability.md", "pip install 'cognee-dagster[openl"): "test_package.py has the extra",
    ("docs/observability.md", "export OTEL_SERVICE_NAME"): "needs a collector, and OpenTelemetry's own launcher",
    ("docs/deployment.md", "cp deploy/.env.example"): "no Docker; test_deployment.py runs the services' own commands",
    ("docs/deployment.md", "docker build"): "neither Docker nor Kubernetes; test_deploy.py reads the files",
    ("docs/from-push-cron-jobs.md", "0 3 * * *"): "a line of a crontab; its command is run as printed above it",
}

EVERY = [block for page in PAGES for block in blocks(page) if block.language not in DRAWN]


def _named(place: tuple[str, str]) -> list[Block]:
    page, beginning = place
    return [block for block in EVERY if block.page == page and block.text.startswith(beginning)]


def test_every_block_is_run_or_said_not_to_be() -> None:
    places = [place for listed in ELSEWHERE.values() for place in listed] + list(NOT_RUN)
    placed = COLLECTED.union(*map(_named, places))
    assert [f"{block}: {block.text.splitlines()[0]}" for block in EVERY if block not in placed] == []


@pytest.mark.parametrize("module", ELSEWHERE)
def test_a_module_that_is_said_to_run_a_block_reads_its_page(module: str) -> None:
    text = (ROOT / module).read_text(encoding="utf-8")
    for page, beginning in ELSEWHERE[module]:
        assert _named((page, beginning)), (page, beginning)
        assert page.rpartition("/")[2].removesuffix(".md") in text, page


def test_nothing_is_said_not_to_be_run_that_is_not_there_or_runs() -> None:
    for place in NOT_RUN:
        (block,) = _named(place)
        assert block not in COLLECTED
