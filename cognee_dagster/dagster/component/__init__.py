"""``CogneeComponent``: a code location's Cognee datasets, written in a ``defs.yaml``."""
