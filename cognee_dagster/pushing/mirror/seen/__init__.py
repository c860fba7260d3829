"""What the remote dataset of a mirror shows when it is looked at."""
