"""What is kept of mirrors between pushes, and whose turn it is."""
