"""The catalogue as a graph, from the tables that the shop keeps."""

import csv
from pathlib import Path

import dagster as dg
import networkx as nx

TABLES = Path(__file__).parent / "tables"


@dg.asset(group_name="catalogue")
def catalogue_graph() -> nx.MultiDiGraph:
    """Suppliers, products and what they are made of."""
    graph = nx.MultiDiGraph()
    for row in _rows("suppliers"):
        graph.add_node(row["id"], type="Supplier", name=row["name"], description=f"{row['name']}, {row['town']}.")
    for row in _rows("products"):
        graph.add_node(row["id"], type="Product", name=row["name"], description=row["description"])
        graph.add_edge(row["supplier"], row["id"], key="supplies")
    return graph


def _rows(table: str) -> list[dict[str, str]]:
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
