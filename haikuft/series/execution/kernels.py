"""The kernels of a headless run: of this very interpreter, and quick to start.

On Linux each kernel is a fork of one process that has imported what notebooks import (the module
`kernel_template`), itself a fork of the run, so that all of them import it once. Kernels share
nothing else: what a notebook changes is gone with its kernel.
"""

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from queue import Empty
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from haikuft.series.execution.kernel_template import serve


class ForkedProcess:
    """A kernel that is not our child, with what jupyter_client asks of a `Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = -1
        with suppress(ProcessLookupError):  # it may have ended already
            self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Tell whether it has ended, by a status; how is not known."""
        return 1 if self._has_ended(0) else None

    def wait(self) -> int:
        """Wait until it has ended."""
        self._has_ended(None)
        return 1

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        if self._descriptor >= 0:
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _has_ended(self, seconds: float | None) -> bool:
        if self._descriptor >= 0 and select.select([self._descriptor], [], [], seconds)[0]:
            os.close(self._descriptor)
            self._descriptor = -1
        return self._descriptor < 0


class KernelTemplate:
    """The process that kernels are forked from, while `haikuft run` lasts."""

    current: "KernelTemplate | None" = None

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._lines = self._channel.makefile("rw")
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()  # or the fork would write it again
        pid = os.fork()
        if not pid:
            self._lines.close()
            self._channel.close()
            serve(theirs)
        theirs.close()
        self._process = ForkedProcess(pid)

    def fork(self, command: list[str], environment: Mapping[str, str], folder: str) -> int:
        """Make a kernel; return its process id.

        Raises:
            OSError: the process has ended.
        """
        request = {
            "arguments": command[command.index("ipykernel_launcher") + 1 :],
            "environment": dict(environment),
            "folder": folder,
        }
        self._lines.write(f"{json.dumps(request)}\n")
        self._lines.flush()
        answer = self._lines.readline()
        if not answer:
            raise ConnectionResetError("The process that makes kernels has ended.")
        return int(answer)

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            self._lines.close()
        self._channel.close()
        self._process.terminate()
        self._process.wait()
        with suppress(ChildProcessError):
            os.waitpid(self._process.pid, 0)


@contextmanager
def sharing_imports() -> Iterator[None]:
    """Fork all kernels that are started within from one process, where the system can."""
    if not hasattr(os, "pidfd_open"):
        yield
        return
    template = KernelTemplate.current = KernelTemplate()
    try:
        yield
    finally:
        KernelTemplate.current = None
        template.close()


class OwnProvisioner(LocalProvisioner):
    """Starts a kernel by a fork, or else as jupyter_client does."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Start it."""
        template = KernelTemplate.current
        if template is not None:
            folder = str(options.get("cwd") or Path.cwd())
            with suppress(OSError, ValueError):  # it has ended, or was closed
                pid = template.fork(cmd, options.get("env") or os.environ, folder)
                self.process: Any = ForkedProcess(pid)
                self.pid = self.pgid = pid
                self.cwd = options.get("cwd")
                return self.connection_info
        return await super().launch_kernel(cmd, **options)


class OwnKernelClient(AsyncKernelClient):
    """Takes a kernel for ready once it has answered and its outputs arrive.

    jupyter_client waits for 0.2 s of silence, too, to be rid of messages that belong to no cell;
    nbclient passes over those.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel is ready.

        Raises:
            RuntimeError: it has died, or is not ready within the timeout in seconds.
        """
        deadline = time.monotonic() + (timeout or inf)
        while time.monotonic() < deadline and await self.is_alive():
            self.kernel_info()
            with suppress(Empty):
                await self.get_shell_msg(timeout=1)
                await self.get_iopub_msg(timeout=0.2)
                return
        raise RuntimeError("The kernel has died, or was not ready in time.")


class OwnKernelManager(AsyncKernelManager):
    """Starts kernels with the interpreter that runs this code.

    A kernel is otherwise found by its name, and another environment's `python3`, or one that a
    user has installed, may stand in front of ours and know nothing of this package.
    """

    client_factory: Any = OwnKernelClient

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts a kernel here."""
        # What a kernel logs goes past the notebook to the terminal, into our progress bar.
        return KernelSpec(**get_kernel_dict(extra_arguments=["--log-level=CRITICAL"]))

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        if self.provisioner is None:
            self.kernel_id = self.kernel_id or options.pop("kernel_id", "")
            self.provisioner = OwnProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**options)

    pre_start_kernel = _async_pre_start_kernel
