"""What is written to Dagster's event log, and read again."""
