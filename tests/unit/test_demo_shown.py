"""What the README shows of ``make demo`` is what the demo prints, whose parts each have tests on real Cognee."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cognee_dagster.dagster import keys
from examples import demo
from tests.printed import ROOT, blocks, commands

SHOWN = commands(next(block for block in blocks(ROOT / "README.md", "console") if "make demo" in block.text))[0].shown
PUSHED = {"demo": "completed", "handbook": "started"}


def layout(text: str) -> list[str]:
    """Lines without what differs from run to run: figures, ids, and the widths that follow from them."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"/tmp/[\w/-]+/local", "LOCAL", text)
    return [re.sub(r"[ ━─]+", " ", re.sub(r"\d[\d.,:]*", "N", line)).strip() for line in text.splitlines()]


@contextmanager
def stage(_: Path) -> Iterator[Any]:
    remote = SimpleNamespace(url="http://127.0.0.1:60347")
    yield SimpleNamespace(remote=remote, dagster_home=Path.cwd(), llm="a rule-based stand-in for an LLM")


def said(dataset: str, asset: str) -> dict[str, Any]:
    return {
        keys.NUM_NODES: 47,
        keys.NUM_EDGES: 86,
        keys.ARCHIVE_BYTES: 10_577,
        keys.MODE: "preserve",
        keys.STATUS: PUSHED[dataset] if asset == "remote_push" else "completed",
        keys.PIPELINE_RUN_ID: "9d5ba45d-f01a-4b27-bfbd-7e150e37ba6e",
        keys.SECONDS: 0.6,
    }


def test_the_readme_shows_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(demo, "playground", stage)
    for done in ("_materialize", "_run_sensor"):
        monkeypatch.setattr(demo, done, lambda *_: None)
    monkeypatch.setattr(demo, "_differences", lambda *_: iter(()))
    monkeypatch.setattr(demo, "_metadata", lambda _, dataset, asset: said(dataset, asset))
    monkeypatch.setattr(demo, "_latest", lambda *_: SimpleNamespace(timestamp=0.0))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert demo.main(Path("/tmp/cognee-dagster-demo-x")) == 0
    of_the_demo = SHOWN.partition("…\n")[2]  # the lines before are of installing
    assert layout(capsys.readouterr().out) == layout(of_the_demo)


@pytest.mark.parametrize(
    ("code", "said"), [(None, "has not ended within 900 s, and was stopped: run the demo again"), (1, "failed. ")]
)
def test_a_demo_that_takes_too_long_is_not_said_to_have_failed(code: int | None, said: str) -> None:
    run = SimpleNamespace(wait=lambda _: code, log="dagster.log", log_tail=lambda: "STEP_SUCCESS")
    playing: Any = SimpleNamespace(dagster=lambda *_: nullcontext(run))
    with pytest.raises(demo.DemoError, match=f"Materializing demo {said}"):
        demo._materialize(playing, "demo")
