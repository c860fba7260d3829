"""NetworkX graphs in memory."""
