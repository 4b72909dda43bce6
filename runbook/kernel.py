"""`python -m runbook.kernel`: ipykernel's own launcher, in a process that dies with its notebook.

A kernel in a long call into C outlives its notebook by many seconds otherwise, holding files open.
"""

from __future__ import annotations

import os
import runpy

from runbook.processes import SLOW_IMPORT, keep_from_importing, tie_to_parent


def main() -> None:
    """Tie this process to the one that launched it, then be an ordinary IPython kernel."""
    tie_to_parent(int(os.environ["JPY_PARENT_PID"]))
    keep_from_importing(SLOW_IMPORT)
    runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
