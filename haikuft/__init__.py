"""From raw examples to an evaluated, fine-tuned Claude 3 Haiku. Names load on first use."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

__version__ = "0.2.0"

_MODULES = frozenset(module.name for module in iter_modules(__path__))
__all__ = [*sorted(_MODULES), "__version__"]


def __getattr__(name: str) -> Any:
    """Load a module the first time it is named, so that `import haikuft` stays light."""
    if name in _MODULES:
        return import_module(f"haikuft.{name}")
    raise AttributeError(f"module 'haikuft' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
