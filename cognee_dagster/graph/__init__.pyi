from .portrait import GraphPortrait as GraphPortrait
from .portraying import portray as portray
from .reader import EDGE_SCHEMA as EDGE_SCHEMA
from .reader import NODE_SCHEMA as NODE_SCHEMA
from .reader import GraphOrigin as GraphOrigin
from .reader import GraphReader as GraphReader
from .reader import GraphSummary as GraphSummary
from .source import FoundGraph as FoundGraph
