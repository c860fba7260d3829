"""Questions to a remote dataset, and whether it has what must be found for them."""
