"""The verb: one graph, from an archive to a remote dataset, once."""
