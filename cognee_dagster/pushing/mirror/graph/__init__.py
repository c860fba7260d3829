"""A graph as a mirror knows it: what each record is known by, and which part of the graph it belongs to."""
