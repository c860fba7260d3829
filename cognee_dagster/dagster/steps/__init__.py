"""What a run executes."""
