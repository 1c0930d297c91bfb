"""What moves while one sits before the notebook: a job watched, models asked, costs running."""

from importlib import import_module
from typing import Any

_MODULES = {
    "attendance": ("is_attended",),
    "costs": ("Costs",),
    "history": ("Exchange", "read_exchanges"),
    "job_view": ("JobView", "Progress"),
    "monitor": ("JobMonitor", "watch_job"),
    "playground": ("Playground",),
    "running_costs": ("RunningCosts", "show_running_costs"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a name's module the first time it is wanted."""
    if name in _HOMES:
        return getattr(import_module(f"haikuft.live.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'haikuft.live' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
