"""The map in docs/architecture.md, drawn from the import contracts; ``python -m tests.import_map`` draws it again."""

import ast
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- map: drawn by tests/import_map.py -->\n", "<!-- end of the map -->\n"


def contracts() -> dict[str, list[list[str]]]:
    """The layers of each package that has them, from the top: package -> names in each layer."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {
        contract["containers"][0]: [re.split(r" *[|:] *", layer) for layer in contract["layers"]]
        for contract in settings["contracts"]
        if contract["type"] == "layers"
    }


def first_line(module: str) -> str:
    """The first line of a module's or package's docstring, as Markdown."""
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0].replace("``", "`").replace("|", "\\|")


def drawn() -> str:
    """The map: a diagram and a table for each package with layers."""
    parts = []
    for container, layers in contracts().items():
        names = [" &nbsp; ".join(layer) for layer in layers]
        boxes = "\n".join(f'    L{number}["{name}"]' for number, name in enumerate(names))
        arrows = " --> ".join(f"L{number}" for number in range(len(names)))
        rows = "\n".join(f"| `{name}` | {first_line(f'{container}.{name}')} |" for layer in layers for name in layer)
        parts.append(
            f"`{container}`, from the top; an arrow means that what is above may import everything below:\n\n"
            f"```mermaid\nflowchart TD\n{boxes}\n    {arrows}\n```\n\n| Part | What it is |\n|---|---|\n{rows}\n"
        )
    return "\n" + "\n".join(parts) + "\n"


def redrawn(page: str) -> str:
    """The page with the map as it has to be."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + drawn() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
