"""A graph written as a packed archive, in one pass."""
