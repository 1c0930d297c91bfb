"""`haikuft models`: which base models there are, what each allows, and what it changes."""

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haikuft.commands import Commands


def add(commands: "Commands") -> None:
    """Describe its command."""
    words = "list the base models: what each allows, and how it changes the notebooks"
    parser = commands.add_parser("models", allow_abbrev=False, help=words, description=words)
    parser.set_defaults(command=_models)


def _models(options: argparse.Namespace) -> int:
    from haikuft.base_models.table import describe_models

    print(describe_models(datetime.now(UTC).date()))
    return 0
