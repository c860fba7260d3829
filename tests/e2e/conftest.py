"""What several end-to-end tests start."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser: skipped without one on a developer's machine, failed in CI."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "needs Chromium: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
