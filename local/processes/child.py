"""Runs a module as a child of the local cloud: it ends when its parent is gone, however that ended.

`python -m local.processes.child PARENT_PID MODULE [ARGUMENT ...]`
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading

_LOOK_SECONDS = 1.0


def main() -> None:
    """Watch the parent on a thread and run the module as `__main__`."""
    parent, module = int(sys.argv[1]), sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    threading.Thread(target=_follow, args=(parent,), daemon=True, name="parent-watch").start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _follow(parent: int) -> None:
    waiting = threading.Event()
    while os.getppid() == parent:
        waiting.wait(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
