"""What a push to a mirror finds, and what it would do."""
