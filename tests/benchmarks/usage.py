"""The command line of a benchmark, whose docstring is its usage."""

import argparse
from collections.abc import Mapping
from typing import Any


def parse(usage: str | None, **arguments: Mapping[str, Any]) -> argparse.Namespace:
    """Parse the command line; each argument has the keywords of `ArgumentParser.add_argument`."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=usage, formatter_class=raw)
    for name, keywords in arguments.items():
        parser.add_argument(name, **keywords)
    return parser.parse_args()
