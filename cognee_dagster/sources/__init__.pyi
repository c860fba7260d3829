from .cognee.config import LocalCogneeConfig as LocalCogneeConfig
from .cognee.datasets import find_dataset as find_dataset
from .cognee.datasets import open_dataset as open_dataset
from .files import open_graph_file as open_graph_file
from .mapping.value import GraphMapping as GraphMapping
from .networkx.graphs import from_networkx as from_networkx
from .networkx.graphs import to_networkx as to_networkx
from .opening import open_graph as open_graph
