"""Cognee's own exports: the handbook, added and cognified by Cognee with the stand-in for a language model."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cognee_dagster.sandbox import local_environment
from examples.local_cognee import cognify
from examples.stand_in_llm import LLMStandIn
from tests.corpus.extractors import HANDBOOK

_CHILD = Path(__file__).with_name("cognee_child.py")
_DATASET = "handbook"


def cognee(folder: Path) -> None:
    """Whatever ``cognee.export`` writes that can be read again."""
    with LLMStandIn() as stand_in, tempfile.TemporaryDirectory() as directory:
        environ = local_environment(
            Path(directory), environ={"PATH": os.environ.get("PATH", os.defpath), **stand_in.settings}
        )
        cognify(environ, dataset=_DATASET, documents=sorted(HANDBOOK.glob("*.md")))
        subprocess.run([sys.executable, str(_CHILD), _DATASET, str(folder)], env=environ, cwd=directory, check=True)
        _move(folder, {directory: "/cognee", str(HANDBOOK): "/handbook"})


def _move(folder: Path, places: dict[str, str]) -> None:
    """Directories of this machine, which Cognee notes in its documents, as others."""
    for path in folder.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        for there, here in places.items():
            text = text.replace(there, here)
        path.write_text(text, encoding="utf-8")
