"""``python -m tests.mutation``: mutate a seeded sample of the code and run the tests that reach each mutant.

Works on copies of the checkout, so that nothing here is changed. Which tests reach a line is measured first, with
coverage contexts; one that fails then would notice every mutant, and is no judge of any. What runs on import is tried
with the tests that reach anything in its module.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import click
import coverage
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator

from tests.mutation.mutants import Mutant, mutants_of, sample

ROOT = Path(__file__).parents[2]
PACKAGE = "cognee_dagster"
LEFT_OUT = {f"{PACKAGE}/testing", f"{PACKAGE}/sandbox"}  # what tests are made of is not what they test
EXPLAINED = Path(__file__).with_name("explained.json")
MAX_TESTS = 120  # tried first
MOST_TESTS = 600  # tried where those notice nothing
MAX_FAILED = 5


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a mutant; ``killed`` is what one hopes for."""

    mutant: Mutant
    killed: bool
    seconds: float
    tests: int


@click.command()
@click.option("--size", default=100, show_default=True, help="How many mutants.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another sample.")
@click.option("--workers", default=2, show_default=True, help="How many at a time.")
@click.option("--only", default="", metavar="PREFIX", help="Only modules whose path begins so.")
@click.option("--limit", default=300.0, show_default=True, help="Seconds for one mutant; beyond them it is killed.")
@click.option("--goal", default=0.9, show_default=True, help="Share of the mutants that must be killed.")
def main(*, size: int, seed: int, workers: int, only: str, limit: float, goal: float) -> None:
    """Break the code in a seeded sample of places; fails where too few are noticed or a survivor is not explained."""
    modules = [
        path
        for path in sorted((ROOT / PACKAGE).rglob("*.py"))
        if path.relative_to(ROOT).as_posix().startswith(only)
        and not any(path.is_relative_to(ROOT / folder) for folder in LEFT_OUT)
    ]
    chosen = sample((mutant for path in modules for mutant in mutants_of(path, root=ROOT)), size=size, seed=seed)
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory, ThreadPoolExecutor(workers) as pool:
        measured = _copy(Path(directory) / "measured")
        data = _measure(measured, workers=workers)
        reached = _tests_by_line(data, copy=measured, but=_failed(measured))
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            free.put(_copy(Path(directory) / str(number)))

        def run(mutant: Mutant) -> Outcome:
            copy = free.get()
            try:
                tests = reached.get((mutant.module, mutant.line)) or reached.get((mutant.module, 0), ())
                outcome = _outcome(mutant, copy=copy, tests=tests[:MAX_TESTS], limit=limit)
                if not outcome.killed and len(tests) > MAX_TESTS:
                    outcome = _outcome(mutant, copy=copy, tests=tests[MAX_TESTS:MOST_TESTS], limit=4 * limit)
            finally:
                free.put(copy)
            word = "killed" if outcome.killed else "SURVIVED"
            click.echo(f"{word} {outcome.seconds:.0f} s, {outcome.tests} tests: {mutant.name} (line {mutant.line})")
            return outcome

        outcomes = list(pool.map(run, chosen))
    _report(outcomes, goal=goal)


def _copy(target: Path) -> Path:
    """The files that git knows, as they are in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def _pytest(copy: Path, *arguments: str, limit: float | None = None) -> int | None:
    """The exit code of pytest in that copy, which goes before the installed package; None: it took too long.

    What it says is in ``pytest.log`` there.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        (copy / "pytest.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=copy, env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _measure(copy: Path, *, workers: int) -> coverage.CoverageData:
    """What each unit test runs."""
    click.echo("Measuring which tests reach which line …")
    _pytest(copy, "tests/unit", f"-n{workers}", f"--cov={PACKAGE}", "--cov-context=test", "--cov-report=")
    data = coverage.CoverageData(str(copy / ".coverage"))
    data.read()
    return data


def _failed(copy: Path) -> frozenset[str]:
    """The tests that fail without a mutant, such as one that needs a git checkout.

    Raises:
        ClickException: They are too many to go on, or pytest did not come to its end.
    """
    said = (copy / "pytest.log").read_text(encoding="utf-8", errors="replace")
    found = frozenset(re.findall(r"^FAILED (\S+\.py::.*?)(?: - .*)?$", said, re.MULTILINE))
    if len(found) > MAX_FAILED or not re.search(r"^\d+ (?:failed|passed)", said, re.MULTILINE):
        raise click.ClickException(f"Without a mutant pytest ended so:\n{said[-4000:]}")
    for test in sorted(found):
        click.echo(f"fails without a mutant, and is left out: {test}")
    return found


def _tests_by_line(
    data: coverage.CoverageData, *, copy: Path, but: frozenset[str]
) -> Mapping[tuple[str, int], Sequence[str]]:
    """The unit tests that run each line, and at line 0 those that run any of its module.

    Those that run the fewest lines come first: they are about it.
    """
    reached: dict[tuple[str, int], list[str]] = {}
    of_module: defaultdict[str, set[str]] = defaultdict(set)
    lines_of: Counter[str] = Counter()
    for file in data.measured_files():
        module = Path(file).relative_to(copy).as_posix()
        for line, contexts in data.contexts_by_lineno(file).items():
            # "tests/unit/test_a.py::test_b[x|y]|run": pytest-cov adds the phase.
            tests = sorted({context.rpartition("|")[0] for context in contexts if context} - but)
            reached[module, line] = tests
            of_module[module].update(tests)
            lines_of.update(tests)
    reached |= {(module, 0): list(tests) for module, tests in of_module.items()}
    return {place: sorted(tests, key=lambda test: (lines_of[test], test)) for place, tests in reached.items()}


def _outcome(mutant: Mutant, *, copy: Path, tests: Sequence[str], limit: float) -> Outcome:
    began = time.monotonic()
    with use_mutation(copy / mutant.module, get_operator(mutant.operator)(), mutant.occurrence):
        code = _pytest(copy, "-x", *tests, limit=limit) if tests else 0
    return Outcome(mutant=mutant, killed=code != 0, seconds=time.monotonic() - began, tests=len(tests))


def _report(outcomes: Sequence[Outcome], *, goal: float) -> None:
    explained = json.loads(EXPLAINED.read_text(encoding="utf-8"))
    survivors = [outcome.mutant.name for outcome in outcomes if not outcome.killed]
    killed = len(outcomes) - len(survivors)
    for name in survivors:
        click.echo(f"survived: {name}\n    {explained.get(name, 'not explained')}")
    click.echo(f"{killed} of {len(outcomes)} mutants were killed ({killed / len(outcomes):.0%}).")
    if killed < goal * len(outcomes):
        raise click.ClickException(f"Fewer than {goal:.0%}: write a test for a survivor that breaks a rule.")
    if not explained.keys() >= set(survivors):
        raise click.ClickException(
            f"Write a test for each survivor that is not explained, or say why in {EXPLAINED.name}."
        )


if __name__ == "__main__":
    main()
