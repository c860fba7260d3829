"""Graph files as sources of nodes and edges: a module per format, each read whole or refused."""
