"""Everything that knows Dagster; the only package that imports it."""
