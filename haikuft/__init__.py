"""From raw examples to an evaluated, fine-tuned Claude 3 Haiku. Names load on first use."""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_MODULES = (
    "aws",
    "base_models",
    "customization",
    "dataset",
    "errors",
    "evaluation",
    "forms",
    "hyperparameters",
    "iam",
    "inference",
    "inventory",
    "live",
    "metrics",
    "plots",
    "pricing",
    "runs",
    "s3",
    "sandbox",
    "series",
    "serving",
    "tables",
)
__all__ = [*_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    """Load a module the first time it is named, so that `import haikuft` stays light."""
    if name in _MODULES:
        return import_module(f"haikuft.{name}")
    raise AttributeError(f"module 'haikuft' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
