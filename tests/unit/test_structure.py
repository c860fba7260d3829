"""The size and shape of the package: what keeps a stranger's way in short."""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import cognee_dagster

PACKAGE = Path(cognee_dagster.__file__).parent
MAX_LINES = 350
MAX_HIDDEN_IMPORTS = 16
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def modules() -> dict[str, tuple[str, ast.Module]]:
    """Every module by its path: text and syntax tree."""
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: (text, ast.parse(text)) for name, text in texts.items()}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def is_command(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether click makes its options the function's parameters."""
    return any("click.command" in ast.unparse(decorator) for decorator in function.decorator_list)


def num_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_a_module_is_one_idea() -> None:
    lines = {name: text.count("\n") for name, (text, _) in modules().items()}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}
    assert median(lines.values()) < 130


def definitions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What a module's top level defines for others: names, each with its definition."""
    for node in tree.body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield node.name, ast.unparse(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, ast.unparse(node.value)) for target in targets if isinstance(target, ast.Name))


def test_a_name_stands_for_one_thing_within_a_package() -> None:
    defined = defaultdict[tuple[str, str], set[str]](set)
    for module, (_, tree) in modules().items():
        for name, definition in definitions(tree):
            if not name.startswith("_") and name != "logger":
                defined[module.rpartition("/")[0], name].add(definition)
    twice = {name for name, found in defined.items() if len(found) > 1}
    assert twice == {("dagster/sensors", "CURSOR_VERSION")}  # of this and of earlier releases


def test_few_names_are_at_the_top() -> None:
    top = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert len(top - {"__init__", "__main__", "_version"}) <= 14


def test_no_list_of_parameters_is_long() -> None:
    too_many = {
        f"{name}: {function.name}": count
        for name, (_, tree) in modules().items()
        for function in functions(tree)
        if not is_command(function)
        if (count := num_parameters(function))
        > (6 if function.name.startswith("_") and function.name != "__init__" else 8)
    }
    assert too_many == {}


def test_a_docstring_says_what_the_thing_is() -> None:
    beginning_with_it = [
        f"{name}: {getattr(node, 'name', 'module')}"
        for name, (_, tree) in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if inspect.cleandoc(ast.get_docstring(node) or "").startswith("It ")
    ]
    assert beginning_with_it == []


def hidden_imports() -> list[tuple[str, int, str]]:
    """Imports of our own modules inside functions: path, line, text."""
    found = []
    for name, (text, tree) in modules().items():
        for function in functions(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cognee_dagster"):
                    found.append((name, node.lineno, text.splitlines()[node.lineno - 1].strip()))
    return sorted(set(found))


def test_imports_are_at_the_top() -> None:
    assert len(hidden_imports()) <= MAX_HIDDEN_IMPORTS, hidden_imports()
