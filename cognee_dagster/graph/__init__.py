"""What a graph is: batches of nodes and edges, from whatever source."""
