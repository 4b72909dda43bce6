"""The one kernel notebooks are executed with: this interpreter's, whatever kernels the machine has installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class OwnKernelManager(AsyncKernelManager):
    """Starts `python -m runbook.kernel` and talks to it over private Unix sockets instead of open TCP ports."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The launch command; no kernelspec file is looked for."""
        argv = [sys.executable, "-m", "runbook.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    @default("transport")
    def _private_transport(self) -> str:
        return "ipc"

    @default("ip")
    def _socket_prefix(self) -> str:
        return str(Path(os.environ["JUPYTER_RUNTIME_DIR"]) / "k")
