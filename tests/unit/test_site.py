"""The documentation builds as a site without a warning: every page is in its menu, every link leads somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cognee_dagster
from tests.printed import ROOT


def test_the_site_builds_without_a_warning_and_shows_every_public_name(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra integration")
    # Not --quiet: what mkdocs does not say, --strict does not count.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    reference = (tmp_path / "site" / "api" / "index.html").read_text(encoding="utf-8")
    anchors = set(re.findall(r'id="cognee_dagster\.(\w+)"', reference))
    assert set(cognee_dagster.__all__) - anchors == {"__version__"}
    overview = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'href="getting-started/"' in overview
    assert 'href="changelog/"' in overview
