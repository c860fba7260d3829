"""The local side: a dataset as batches of nodes and edges."""
