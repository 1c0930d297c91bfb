"""Data sets: read raw examples, convert, split and validate them.

Notebook 2 uses most of it; notebooks 3, 5 and 6 read the files that it wrote. The command line has
`haikuft validate` and `haikuft convert`. Names load on first use.
"""

from importlib import import_module
from typing import Any

# Module -> its public names: what notebooks and the command line use.
_MODULES = {
    "convert.converter": ("convert_file", "read_raw"),
    "read.examples": ("detect_format", "first_example"),
    "read.sources": ("find_dataset",),
    "read.training_files": ("read_records",),
    "records": ("prompt_of", "record_id", "reference_of", "write_records"),
    "splitting": ("check_split", "split_records", "write_split"),
    "statistics": ("describe_records",),
    "tokens": ("estimate_total_tokens",),
    "validate.validation": ("validate_file", "validate_files"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a name's module when it is first used: validation needs no statistics."""
    if name in _HOMES:
        return getattr(import_module(f"haikuft.dataset.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'haikuft.dataset' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
