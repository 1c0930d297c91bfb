"""Data sets: records, validation, conversion, splitting, statistics. Names load on first use."""

from importlib import import_module
from typing import Any

# Module -> its public names.
_MODULES = {
    "convert.converter": ("Conversion", "convert_file", "convert_record", "read_raw"),
    "read.examples": ("detect_format", "first_example"),
    "labels": ("labels_of",),
    "problems": ("Problem",),
    "report": ("Report",),
    "records": (
        "Record",
        "prompt_key",
        "prompt_of",
        "record_id",
        "reference_of",
        "write_records",
    ),
    "read.sources": ("Source", "find_dataset"),
    "read.training_files": ("read_records",),
    "splitting": ("Split", "check_split", "group_key", "split_records", "write_split"),
    "statistics": ("Spread", "Statistics", "describe_records"),
    "tokens": (
        "NO_TOKENS",
        "TokenRange",
        "add_tokens",
        "estimate_record_tokens",
        "estimate_tokens",
        "estimate_total_tokens",
    ),
    "validate.validation": ("validate_file", "validate_files"),
    "formats": ("to_training",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a name's module the first time it is wanted: validating needs no statistics."""
    if name in _HOMES:
        return getattr(import_module(f"haikuft.dataset.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'haikuft.dataset' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
