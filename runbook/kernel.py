"""The process that becomes a notebook's kernel: forked with everything imported, and dead with its notebook.

Importing pandas, DuckDB and the house anew for every notebook would take longer than most of them do.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from importlib import import_module

from runbook.processes import tie_to_parent

# What every notebook of the chain imports, and ipykernel itself; the supervisor imports it before it forks.
PRELOADED = ("ipykernel.kernelapp", "ipykernel.ipkernel", "lib.step", "lib.charts", "lib.training")
_MOST_FILES = 4096


class Child:
    """A kernel in waiting; then the running one, as jupyter_client wants to see a process (compare Popen)."""

    stdin = stdout = stderr = None

    def __init__(self) -> None:
        """Forks. Call it while this process has a single thread."""
        notebook = os.getpid()
        ear, self._mouth = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _become_kernel(notebook, ear)
        os.close(ear)

    def begin(self, argv: list[str]) -> None:
        """Lets it be a kernel with these arguments, its connection file among them."""
        os.write(self._mouth, json.dumps(argv).encode())
        os.close(self._mouth)

    def poll(self) -> int | None:
        """How it ended; None while it lives."""
        if self.returncode is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if done else None
        return self.returncode

    def wait(self) -> int:
        """Waits for its end, and says how it ended."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signals it, as long as it lives."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)


def _become_kernel(notebook: int, ear: int) -> None:
    """Wait for the word, then be an ordinary IPython kernel until its end; never returns."""
    code = 1
    try:
        _settle(notebook, ear)
        with os.fdopen(ear) as said:
            words = said.read()
        if words:
            sys.argv = [*json.loads(words), f"--IPKernelApp.parent_handle={notebook}"]
            import_module("ipykernel.kernelapp").launch_new_instance()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _settle(notebook: int, ear: int) -> None:
    """Die with the notebook's process; own session, ordinary signals, and none of the files of those above."""
    tie_to_parent(notebook)
    os.setsid()
    for number, handler in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        signal.signal(number, handler)
    os.closerange(3, ear)
    os.closerange(ear + 1, _MOST_FILES)
