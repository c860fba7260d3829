"""What the documentation prints, so that tests can run it: code blocks, console sessions, the output they show."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Every page that somebody reads to use the project, or to change it.
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "deploy/README.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]

# What differs from run to run, and what a page shows of it.
_CHANGING = (
    (r"\x1b\[[\d;]*m", ""),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
    (r"\b[0-9a-f]{32,64}\b", "<digest>"),
    (r"\b127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
    (r"\bin process \d+", "in process <pid>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"\b[\d,]+ bytes\b", "<n> bytes"),
)
_DONE = "the command has ended:"


@dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes:
        page: The page's path in the repository.
        number: Which of the page's blocks it is, from 0.
        language: What is written behind the opening fence.
        text: Its content.
        file: The file that the line before says it is: `` `definitions.py`: ``.
    """

    page: str
    number: int
    language: str
    text: str
    file: str | None

    def __str__(self) -> str:
        return f"{self.page.removeprefix('docs/')}-{self.number}"


@dataclass(frozen=True)
class Command:
    """A command of a console session, and the output shown below it; ``…`` stands for anything."""

    text: str
    shown: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """The page's code blocks in order; of these languages, if any are given."""
    pattern = r"(?:^`([^`\n]+)`[^\n]*:\n\n)?^```(\w*)\n(.*?)^```$"
    found = re.finditer(pattern, page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    name = page.relative_to(ROOT).as_posix()
    every = [Block(name, number, match[2], match[3], match[1]) for number, match in enumerate(found)]
    return [block for block in every if not languages or block.language in languages]


def commands(block: Block) -> list[Command]:
    """The commands of a shell block, which shows no output, or of a session, which shows them after ``$``."""
    text = block.text if block.language == "console" else re.sub(r"(?m)^(?=\S)", "$ ", block.text)
    found: list[Command] = []
    for part in re.split(r"(?m)^\$ ", text)[1:]:
        lines = part.splitlines(keepends=True)
        last = 1
        while lines[last - 1].endswith("\\\n"):
            last += 1
        if here := re.search(r"<<(\w+)\n", lines[0]):
            last = lines.index(f"{here[1]}\n") + 1
        found.append(Command("".join(lines[:last]).rstrip("\n"), "".join(lines[last:])))
    return found


def pattern_of(shown: str) -> re.Pattern[str]:
    """What matches the output that a page shows; apply it to ``steady`` output."""
    lines = (
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in steady(shown).splitlines()
    )
    return re.compile("".join(lines))


def steady(output: str) -> str:
    """Output without what differs from run to run: ids, times, ports, sizes of compressed files, colours."""
    for changing, fixed in _CHANGING:
        output = re.sub(changing, fixed, output)
    return output


class Terminal:
    """A shell that stays open from command to command; use ``terminal()``."""

    def __init__(self, process: "subprocess.Popen[str]", *, script: int) -> None:
        self._process = process
        self._script = script

    def run(self, command: Command, *, timeout: float = 300) -> str:
        """Types a command and gives what it prints; fails where that is not what is shown, or with its exit code."""
        self._type(f"{command.text}\necho; echo {_DONE} $?")
        output = self._read(until=re.compile(rf"\n{_DONE} \d+\n"), what=command.text, timeout=timeout)
        output, _, code = output.rpartition(f"\n{_DONE} ")
        assert code == "0\n", f"$ {command.text}\n{output}\nended with exit code {code}"
        if command.shown:
            assert pattern_of(command.shown).fullmatch(steady(output)), (
                f"$ {command.text}\n\nprints:\n{steady(output)}\nshown is:\n{steady(command.shown)}"
            )
        return output

    def start(self, command: Command, *, timeout: float = 120) -> str:
        """Types a command that does not end, and waits until it has printed what is shown."""
        self._type(command.text)
        return self.wait_for(command.shown, what=command.text, timeout=timeout)

    def wait_for(self, shown: str, *, what: str = "", timeout: float = 120) -> str:
        """Waits until the command that was started prints this; gives all that it printed until then."""
        return self._read(until=pattern_of(shown), what=what, timeout=timeout)

    def _type(self, text: str) -> None:
        os.write(self._script, f"{text}\n".encode())

    def _read(self, *, until: re.Pattern[str], what: str, timeout: float) -> str:
        assert self._process.stdout is not None
        output = ""
        too_late = threading.Timer(timeout, os.killpg, (self._process.pid, signal.SIGKILL))
        too_late.start()
        try:
            for line in self._process.stdout:
                output += line
                if until.search(steady(output)):
                    return output
        finally:
            too_late.cancel()
        raise AssertionError(f"$ {what}\n{output}\ndid not get so far within {timeout} s:\n{until.pattern}")


@contextmanager
def terminal(directory: Path, environ: Mapping[str, str]) -> Iterator[Terminal]:
    """A ``bash`` in a directory, with this whole environment; in the end Ctrl-C for all that runs in it."""
    reading, script = os.pipe()
    process = subprocess.Popen(
        ["bash", f"/dev/fd/{reading}"],  # so that no command reads the next one as its input
        cwd=directory,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(reading,),
        start_new_session=True,
    )
    os.close(reading)
    try:
        yield Terminal(process, script=script)
    finally:
        os.close(script)
        _interrupt(process)


def _interrupt(process: "subprocess.Popen[str]") -> None:
    """Ctrl-C for the whole session, and SIGKILL for what is still there after half a minute."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.communicate(timeout=30)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=10)
