"""The one kernel notebooks are executed with: this interpreter's, whatever kernels the machine has installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import default

from runbook.kernel import Child


class OwnProvisioner(LocalProvisioner):
    """Gives the word to the kernel that was forked beforehand."""

    waiting: Child | None = None
    process: Child | None = None  # type: ignore[assignment]  # jupyter_client would have a Popen
    pid: int | None = None
    pgid: int | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Starts it with the words of *cmd*."""
        kernel, type(self).waiting = type(self).waiting, None
        assert kernel is not None, "no kernel was forked"
        kernel.begin(cmd)
        self.process = kernel
        self.pid = self.pgid = kernel.pid
        self.cwd = Path.cwd()
        return self.connection_info


class OwnKernelManager(AsyncKernelManager):
    """Talks to the kernel over private Unix sockets instead of open TCP ports."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """No kernelspec file is looked for; nor is this command run."""
        return KernelSpec(
            argv=["ipykernel_launcher.py", "-f", "{connection_file}"], display_name="Python 3", language="python"
        )

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        self.kernel_id = self.kernel_id or kw.pop("kernel_id", "notebook")
        self.provisioner = OwnProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**kw)

    @default("transport")
    def _private_transport(self) -> str:
        return "ipc"

    @default("ip")
    def _socket_prefix(self) -> str:
        return str(Path(os.environ["JUPYTER_RUNTIME_DIR"]) / "k")
