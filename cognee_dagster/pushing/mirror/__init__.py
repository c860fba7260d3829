"""An exact mirror of a graph on a remote, at the price of what has changed since the last push."""
