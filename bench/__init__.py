"""Measures this package against Cognee's own export and push, side by side, on data that it makes itself."""
