"""Rounds of edits on a graph and its mirror on real Cognee, held against a fresh full push each time."""
