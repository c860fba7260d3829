"""A packed archive, read: nothing in one is trusted."""
