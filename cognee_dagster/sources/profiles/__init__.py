"""What producers of graphs call the type, name, relationship and description of a node or an edge."""
