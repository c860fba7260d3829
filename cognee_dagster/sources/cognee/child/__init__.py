"""Cognee itself, which runs in a child process only."""
