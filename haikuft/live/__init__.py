"""Views that change while a notebook is open: a watched job, a playground, the running costs."""

from importlib import import_module
from typing import Any

_MODULES = {
    "Playground": "playground",
    "show_running_costs": "running_costs",
    "watch_job": "monitor",
}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """Import a name's module when the name is first used."""
    if name in _MODULES:
        return getattr(import_module(f"haikuft.live.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'haikuft.live' has no attribute {name!r}")
