"""``cognee-dagster``, and ``python -m cognee_dagster``."""

import signal
import sys

# As ``ExitCode.INTERRUPTED`` and its advice, which may not be loaded when they are needed.
_INTERRUPTED = 130
_ADVICE = "Run the command again; `cognee-dagster runs` shows an import that went on without it."


def run() -> None:
    """Load the command line, and be it; Ctrl-C may come before there is anybody to hear of it, or when all is said."""
    try:
        from cognee_dagster.cli import main

        main(prog_name="cognee-dagster")
    except KeyboardInterrupt:
        _tell_interrupted(as_json="--json" in sys.argv[1:])
        raise SystemExit(_INTERRUPTED) from None
    finally:
        # While Python ends, it would be a traceback; so it is what it is for any program, and 130 to a shell.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _tell_interrupted(*, as_json: bool) -> None:
    if not as_json:
        sys.stderr.write("Interrupted.\n")
        return
    import json

    told = {"error": "KeyboardInterrupt", "reason": "Interrupted.", "advice": _ADVICE, "exit_code": _INTERRUPTED}
    sys.stdout.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    run()
