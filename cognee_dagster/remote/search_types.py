"""The searches that find what is in a graph, and find it without a language model."""

from typing import Literal, get_args

# Of Cognee 1.6.5, modules/search/types/SearchType.py; with ``onlyContext`` the first two do not ask the model.
SearchType = Literal["GRAPH_COMPLETION", "HYBRID_COMPLETION", "CHUNKS", "CHUNKS_LEXICAL", "SUMMARIES"]
SEARCH_TYPES: tuple[str, ...] = get_args(SearchType)
