"""What sensors do between runs: watch imports, push again."""
