"""Datasets of a local Cognee."""
