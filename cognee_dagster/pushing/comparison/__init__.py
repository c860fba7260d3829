"""What a remote graph has against what was sent."""
