"""Which mutants there are, and a seeded sample of them: pure, apart from reading source files.

The mutations themselves are cosmic-ray's. One position gives one mutant, whatever the number of operators that fit, so
that a line with many operators does not crowd out the others.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.plugins import get_operator

OPERATORS = (
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE")),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("GtE_Gt", "Is_IsNot", "IsNot_Is", "Lt_Gt", "Gt_Lt")),
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Div_Mul", "Mod_Add")),
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ExceptionReplacer",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
)


@dataclass(frozen=True, kw_only=True, order=True)
class Mutant:
    """One mutation of one place.

    Attributes:
        module: The source file, relative to the repository.
        line: Its line, from 1.
        column: Its column, from 0.
        operator: cosmic-ray's name of the mutation.
        occurrence: Which of the places that the operator fits in this file, from 0.
        source: The line before the mutation, without indentation; with the operator it names the mutant for good.
    """

    module: str
    line: int
    column: int
    operator: str
    occurrence: int
    source: str

    @property
    def name(self) -> str:
        """What the mutant is called in ``explained.json``: line numbers change, so they are not part of it."""
        return f"{self.module}: {self.operator.removeprefix('core/')}: {self.source}"


def mutants_of(path: Path, *, root: Path) -> Iterator[Mutant]:
    """Every mutant of a source file, without those in annotations and the like, which no run can notice."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    idle = _idle_places(ast.parse(text))
    tree = get_ast(text)
    for name in OPERATORS:
        occurrence = 0
        operator = get_operator(name)()
        for node in ast_nodes(tree):
            for (line, column), _ in operator.mutation_positions(node):
                if not any(start <= (line, column) < end for start, end in idle):
                    yield Mutant(
                        module=path.relative_to(root).as_posix(),
                        line=line,
                        column=column,
                        operator=name,
                        occurrence=occurrence,
                        source=lines[line - 1].strip(),
                    )
                occurrence += 1


def sample(mutants: Iterable[Mutant], *, size: int, seed: int) -> Sequence[Mutant]:
    """So many mutants, one a place at most.

    Each place draws a lot of its own, from the seed and the text of its line: a change of the code changes the sample
    only by what it touches, and what is explained of a survivor stays true.
    """
    by_place: dict[tuple[str, int, int], list[Mutant]] = {}
    for mutant in sorted(mutants):
        by_place.setdefault((mutant.module, mutant.line, mutant.column), []).append(mutant)
    equal: Counter[str] = Counter()
    drawn: list[tuple[str, Mutant]] = []
    for (module, _, column), here in by_place.items():
        place = f"{seed} {module} {column} {here[0].source}"
        equal[place] += 1  # a module may have several such lines
        chosen = min(here, key=lambda mutant: _lot(f"{place} {mutant.operator}"))
        drawn.append((_lot(f"{place} {equal[place]}"), chosen))
    return [mutant for _, mutant in sorted(drawn)[:size]]


def _lot(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _idle_places(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found: list[ast.expr | ast.stmt | ast.keyword] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            found.append(node.annotation)
        elif isinstance(node, ast.keyword) and node.arg in (
            "frozen",
            "kw_only",
        ):  # against what nobody wrote
            found.append(node)
        elif isinstance(node, ast.arg):
            found += [node.annotation] if node.annotation is not None else []
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            found.append(node.returns)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
    return [((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)) for node in found]
