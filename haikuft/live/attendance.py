"""Whether somebody sits before this kernel, and what a cell then shows."""

import sys
from typing import Any


def is_attended() -> bool:
    """Tell a person's front end from papermill, nbconvert and a plain Python program.

    Whoever runs a notebook for a person says with each cell that questions may be asked
    (`allow_stdin`, Jupyter's messaging protocol); whoever runs it without one says they may not.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    parent: dict[str, Any] = kernel.get_parent("shell") or {}
    return bool(parent.get("content", {}).get("allow_stdin"))


def bundle(text: str, html: str, box: Any = None) -> dict[str, Any]:
    """Build what a cell shows: the widgets if there are any, and always text and plain HTML."""
    shown = {} if box is None else box._repr_mimebundle_()
    return {**shown, "text/plain": text, "text/html": html}
