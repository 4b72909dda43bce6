"""A kernel as JupyterLab starts it, driven by a test: cells can ask for input, so they know that somebody looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from lib.settings import ROOT

SECONDS = 60


class Lab:
    """One kernel; ``run`` waits for a cell, ``start`` does not."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def start(self, source: str, allow_stdin: bool = True) -> str:
        """Asks for a cell; gives its message id."""
        asked: str = self.client.execute(source, allow_stdin=allow_stdin)
        return asked

    def finish(self, asked: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Reply and outputs of a cell that was asked for."""
        reply = self.client.get_shell_msg(timeout=SECONDS)
        while reply["parent_header"].get("msg_id") != asked:
            reply = self.client.get_shell_msg(timeout=SECONDS)
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return reply["content"], outputs
            outputs.append({"type": message["msg_type"], **message["content"]})

    def run(self, source: str, allow_stdin: bool = True) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Reply and outputs of a cell."""
        return self.finish(self.start(source, allow_stdin))


@contextmanager
def lab() -> Iterator[Lab]:
    """A kernel in the project's folder, gone at the end."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield Lab(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def wait_for(seen: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    """What *seen* gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return found
