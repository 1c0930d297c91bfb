"""The commands of the command line, a module for each group of them.

Each has `add(commands)`, which describes its commands to the parser, and loads what it works with
only when one of them is called.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]


def add_class(parser: argparse.ArgumentParser, words: str) -> None:
    """Let a command take a class id; `words` say what for."""
    parser.add_argument("--class", dest="class_id", default="", metavar="ID", help=words)


def add_state(parser: argparse.ArgumentParser) -> None:
    """Let a command take the sandbox's state directory."""
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="the sandbox's state directory ($HAIKUFT_SANDBOX_STATE, else your own)",
    )
