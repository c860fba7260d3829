"""Foreign graphs as graphs of Cognee: which attribute means what, and what of it arrives."""
