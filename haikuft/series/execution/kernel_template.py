"""A process that has imported what notebooks import, and becomes a kernel by forking.

The module `kernels` makes it, by a fork as well, and writes a line of JSON for each kernel: its
arguments, environment and working folder. The answer is a line with its process id. It ends when
the socket is closed. It has one thread, because only that one lives on in a fork.
"""

import asyncio
import gc
import inspect
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from haikuft.aws.connection import load_service_models

# Imported before the first kernel, and after each one, while it works. What a kernel would import
# itself costs processor time in each of them.
_STAGES = (
    (
        *("ipykernel.kernelapp", "ipykernel.debugger", "tornado.platform.asyncio", "ipywidgets"),
        *("IPython.core.completerlib", "IPython.extensions.storemagic", "encodings.idna"),
        *("IPython.core.debugger", "IPython.core.logger", "IPython.utils.wildcard"),
        *("IPython.core.oinspect", "psutil"),
        *("haikuft.forms", "haikuft.inventory", "haikuft.live", "haikuft.sandbox"),
        *("haikuft.runs.preflight", "haikuft.workshop.exercises"),
    ),
    (
        *("haikuft.dataset.convert", "haikuft.dataset.validate", "haikuft.runs.prerequisites"),
        *("matplotlib_inline.backend_inline", "matplotlib.backends.backend_svg"),
        *("PIL.BmpImagePlugin", "PIL.GifImagePlugin", "PIL.JpegImagePlugin", "PIL.PpmImagePlugin"),
        *("PIL.PngImagePlugin", "pyarrow.pandas_compat"),
        *("haikuft.dataset", "haikuft.evaluation", "haikuft.plots", "haikuft.search"),
    ),
    ("sklearn.feature_extraction.text", "sklearn.linear_model", "sklearn.model_selection"),
)


def serve(channel: socket.socket) -> NoReturn:
    """Serve one `haikuft run`, and end this process and each kernel here.

    Nothing else of the run that was forked may go on in them.
    """
    try:
        _serve(channel)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(channel: socket.socket) -> None:
    os.setsid()  # Ctrl-C is for the run, which ends its kernels
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder of the program that runs; a kernel has its own
    # As a kernel does before anything imports matplotlib.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # else the debugger prints a hint
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that have ended leave nothing behind
    load_service_models()
    stages, our_pid = iter(_STAGES), os.getpid()
    with channel, channel.makefile("rw") as lines:
        while True:
            _load(next(stages, ()))
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


def _load(names: Sequence[str]) -> None:
    """Import modules, and the names that our packages load on first use.

    scipy and matplotlib read their own docstrings as they are imported, to write others from them:
    a quarter of the time. Here they find none, as under `python -OO`.
    """
    getdoc = inspect.getdoc
    inspect.getdoc = lambda _: None  # type: ignore[assignment]
    for name in names:
        with suppress(ModuleNotFoundError):  # as pyarrow, which not everybody has
            module = import_module(name)
            for offered in getattr(module, "__all__", ()) if name.startswith("haikuft.") else ():
                getattr(module, offered)
    inspect.getdoc = getdoc


def _become_kernel(
    parent: int, arguments: list[str], environment: dict[str, str], folder: str
) -> None:
    """Run the kernel; it ends when its parent, the template, has ended."""
    from ipykernel.kernelapp import IPKernelApp, launch_new_instance

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # With a loop that the run had before the fork, the run would take what should wake the kernel.
    asyncio.set_event_loop(asyncio.new_event_loop())
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={parent}"]
    launch: Any = launch_new_instance
    launch()
    shell: Any = IPKernelApp.instance().shell
    shell.atexit_operations()  # forgets the notebook's names, which closes the files it left open
