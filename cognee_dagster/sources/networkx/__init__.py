"""NetworkX graphs, and the files that NetworkX reads."""
