"""Whether a person runs the notebook, and what a cell shows then."""

import sys
from typing import Any

from haikuft.html import build_block


def is_interactive() -> bool:
    """Whether a person runs the cells, not papermill, nbconvert or a plain Python program.

    A front end sends `allow_stdin` with each cell (Jupyter's messaging protocol): true where a
    person can answer questions, false in a headless run.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    parent: dict[str, Any] = kernel.get_parent("shell") or {}
    return bool(parent.get("content", {}).get("allow_stdin"))


def build_bundle(text: str, html: str, box: Any = None) -> dict[str, Any]:
    """Build what a cell shows: the widgets if there are any, and always text and plain HTML."""
    shown = {} if box is None else box._repr_mimebundle_()
    return {**shown, "text/plain": text, "text/html": build_block(html)}
