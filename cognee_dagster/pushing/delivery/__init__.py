"""One archive to one remote dataset, once, whatever the network does in between."""
