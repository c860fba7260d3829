"""``cognee-dagster``, and ``python -m cognee_dagster``."""

import sys


def run() -> None:
    """Load the command line, and be it; Ctrl-C may come before there is anybody to hear of it."""
    try:
        from cognee_dagster.cli import main
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        raise SystemExit(130) from None  # as ``ExitCode.INTERRUPTED``, which may not be loaded
    main(prog_name="cognee-dagster")


if __name__ == "__main__":
    run()
