"""``python -m cognee_dagster`` is ``cognee-dagster``."""

from cognee_dagster.cli import main

main(prog_name="cognee-dagster")
