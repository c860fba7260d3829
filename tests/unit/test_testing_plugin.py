"""What the package ships for the tests of users' own projects, used as its page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from cognee_dagster import testing
from cognee_dagster.cli import main
from cognee_dagster.testing import FakeRemote, faults

pytest_plugins = ["cognee_dagster.testing.plugin"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing-your-project.md").read_text(encoding="utf-8")


def test_the_project_on_the_page_runs_as_printed(tmp_path: Path) -> None:
    files = re.findall(r"`(\w+\.py)`[^\n]*:\n\n```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["shipping.py", "conftest.py", "test_shipping.py", "test_watching.py"]
    for name, content in files:
        (tmp_path / name).write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", "."]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COGNEE_"))}
    ended = subprocess.run(
        command,
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "\n4 passed in " in ended.stdout, ended.stdout + ended.stderr
    assert "warning" not in ended.stdout.lower(), ended.stdout


def test_every_public_name_and_fault_is_on_the_page() -> None:
    members = [name for name in vars(FakeRemote) if not name.startswith("_")]
    made = [
        name
        for name, value in vars(faults).items()
        if getattr(value, "__annotations__", {}).get("return") is faults.Fault
    ]
    assert len(made) > 8
    assert [name for name in [*testing.__all__, *members, *made] if not re.search(rf"`[^`\n]*\b{name}\b", PAGE)] == []


def test_importing_the_package_loads_neither_dagster_nor_pytest() -> None:
    code = "import sys, cognee_dagster.testing; print({'dagster', 'pytest', '_pytest', 'cognee'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_what_looks_for_the_remote_in_the_environment_finds_the_fake(fake_remote_environment: FakeRemote) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    CliRunner().invoke(main, ["status", unknown])
    assert fake_remote_environment.requests[-1].status == 200


def test_the_resource_points_at_the_fake_and_takes_other_fields(fake_remote: FakeRemote) -> None:
    with fake_remote.resource(read_timeout=3.0).client() as client:
        assert client.me().email == fake_remote.admin.email
        assert client.timeouts.read == 3.0
