"""Public names of a package that load on first use, so that the package itself is light."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Offer = tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]


def offer_names(package: str, modules: Mapping[str, str]) -> Offer:
    """Give a package its `__all__`, `__getattr__` and `__dir__`.

    Args:
        package: its dotted name.
        modules: name of a module inside the package -> its public names, with spaces between.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}
    names = sorted(homes)

    def load(name: str) -> Any:
        if name in homes:
            return getattr(import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return names, load, lambda: names
