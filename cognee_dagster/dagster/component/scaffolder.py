"""What ``dg scaffold defs cognee_dagster.CogneeComponent`` writes: files that work as they are, and hold no secret."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pydantic

from cognee_dagster.store.names import as_identifier

EXAMPLE_FILE = "example.json"

_EXAMPLE: dict[str, Any] = {
    "directed": True,
    "multigraph": False,
    "graph": {},
    "nodes": [
        {"id": "ada", "kind": "Person", "name": "Ada Lovelace"},
        {"id": "charles", "kind": "Person", "name": "Charles Babbage"},
        {"id": "engine", "kind": "Machine", "name": "Analytical Engine"},
    ],
    "links": [
        {"source": "charles", "target": "engine", "relationship": "designed"},
        {"source": "ada", "target": "engine", "relationship": "wrote_programs_for"},
    ],
}

_YAML = """\
type: {type}

attributes:
  # The remote is the one of COGNEE_SERVICE_URL and COGNEE_API_KEY, in the environment or the project's .env, or else
  # where `cognee-cli serve` has logged in. Another one, by variables: no secret belongs in this file.
  # remote:
  #   url: "{{{{ env.OTHER_URL }}}}"
  #   api_key: "{{{{ env.OTHER_KEY }}}}"
  datasets:
    - name: {name}
{graph}"""
_GRAPH_IN_YAML = f"""\
      graph: {EXAMPLE_FILE}  # without this line: the local Cognee dataset of that name
"""

_PYTHON = """\
from pathlib import Path

import dagster as dg

from cognee_dagster import CogneeComponent, CogneeDataset

HERE = Path(__file__).parent


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> CogneeComponent:
    return CogneeComponent(
        # remote=CogneeRemote(…), for another one than that of COGNEE_SERVICE_URL and COGNEE_API_KEY
        datasets=[CogneeDataset(name={name}{graph})],
    )
"""


class ScaffoldParameters(pydantic.BaseModel):
    """What can be said when it is scaffolded."""

    dataset: str | None = pydantic.Field(
        default=None, description="A dataset of the local Cognee. Default: a small graph in a file, to begin with."
    )


class CogneeComponentScaffolder(dg.Scaffolder[ScaffoldParameters]):
    """Writes a ``defs.yaml`` or ``component.py``, and an example of a graph where no dataset is named."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldParameters]:
        """What can be said."""
        return ScaffoldParameters

    def scaffold(self, request: dg.ScaffoldRequest[ScaffoldParameters]) -> None:
        """Write the files."""
        directory = request.target_path.parent if request.append else request.target_path
        dataset = request.params.dataset
        # Escaped as YAML and Python do it, too, but for what JSON makes two escapes of.
        name = json.dumps(dataset or as_identifier(directory.name), ensure_ascii=False)
        if dataset is None:
            (directory / EXAMPLE_FILE).write_text(json.dumps(_EXAMPLE, indent=2) + "\n", encoding="utf-8")
        if request.scaffold_format == "python":
            graph = "" if dataset else f', graph=HERE / "{EXAMPLE_FILE}"'
            (directory / "component.py").write_text(_PYTHON.format(name=name, graph=graph), encoding="utf-8")
            return
        text = _YAML.format(type=request.type_name, name=name, graph="" if dataset else _GRAPH_IN_YAML)
        _write(request.target_path if request.append else directory / "defs.yaml", text, append=request.append)


def _write(path: Path, text: str, *, append: bool) -> None:
    with path.open("a" if append else "w", encoding="utf-8") as file:
        file.write(f"---\n{text}" if append else text)
