"""Runs a Python program for as long as its parent lives: ``python tether.py (module | script.py) [argument …]``.

The parent holds the other end of standard input. When it ends, however it ends, that pipe closes, and this process asks
itself to stop; what is then left of its process group is killed. Standard library only: it also runs in interpreters
that do not have this package.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 15.0


def _stop_when_parent_is_gone() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    sys.path.pop(0)  # this directory: its modules are not top-level modules
    program = sys.argv[1]
    sys.argv = sys.argv[1:]
    threading.Thread(target=_stop_when_parent_is_gone, daemon=True).start()
    if os.path.isfile(program):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
