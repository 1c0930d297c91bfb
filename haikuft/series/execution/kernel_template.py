"""A process that has imported what notebooks import, and becomes a kernel by forking.

The module `kernels` starts it with one end of a socket, and writes a line of JSON for each kernel:
its arguments, environment and working folder. The answer is a line with its process id. It ends
when the socket is closed. It has one thread, because only that one lives on in a fork.
"""

import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from typing import Any

# Imported before the first kernel, and after each one, while it works.
_STAGES = (
    ("ipykernel.kernelapp", "ipywidgets", "haikuft.forms", "haikuft.inventory"),
    ("matplotlib.pyplot", "haikuft.evaluation", "haikuft.plots", "haikuft.live"),
    ("sklearn.feature_extraction.text", "sklearn.linear_model", "sklearn.model_selection"),
)


def main(descriptor: int) -> None:
    """Serve one `haikuft run`."""
    # As a kernel does before anything imports matplotlib.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that have ended leave nothing behind
    stages, our_pid = iter(_STAGES), os.getpid()
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rw") as lines:
        while True:
            for name in next(stages, ()):
                import_module(name)
            gc.freeze()  # what is shared stays shared: no collection in a kernel touches it
            request = lines.readline()
            if not request:
                return
            pid = os.fork()
            if not pid:
                break
            lines.write(f"{pid}\n")
            lines.flush()
    _become_kernel(our_pid, **json.loads(request))


def _become_kernel(
    parent: int, arguments: list[str], environment: dict[str, str], folder: str
) -> None:
    """Run the kernel; it ends when its parent, the template, has ended."""
    from ipykernel.kernelapp import launch_new_instance

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={parent}"]
    launch: Any = launch_new_instance
    launch()


if __name__ == "__main__":
    del sys.path[0]  # the folder in which it was started; a kernel has its own
    main(int(sys.argv[1]))
