"""The commands of the command line: what they take in `commands.toml`, and a module for each group.

A command is a function of the parsed options that returns the exit status. Its module is loaded
only when it is called.
"""

import argparse
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

Command = Callable[[argparse.Namespace], int]

# What these words in `commands.toml` stand for.
_TYPES = {"float": float, "int": int, "path": Path, "yes or no": argparse.BooleanOptionalAction}


def load_command(name: str) -> Command:
    """Load a command by the name of its module and its own, such as "run.clean_up"."""
    module, _, function = name.partition(".")
    command: Command = getattr(import_module(f"{__name__}.{module}"), function)
    return command


def add_commands(parser: argparse.ArgumentParser, rows: Mapping[str, Any], **words: str) -> None:
    """Describe commands to a parser; of the one that is given, `command` is the name to load it by.

    Args:
        parser: Of the program, or of a command that has commands of its own.
        rows: Name -> what `commands.toml` says of it.
        words: What the names in braces stand for.
    """
    # The prog is named, for argparse would lay out a whole usage message to find it.
    group = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", prog=parser.prog
    )
    for name, row in rows.items():
        description = row.get("description", row["help"]).format_map(words)
        added = group.add_parser(
            name, allow_abbrev=False, help=row["help"], description=description
        )
        for flag, keywords in row.get("arguments", {}).items():
            given = {**keywords, "help": keywords.get("help", "").format_map(words)}
            for word in {"type", "action"} & given.keys():
                given[word] = _TYPES.get(given[word], given[word])
            if isinstance(given.get("metavar"), list):
                given["metavar"] = tuple(given["metavar"])
            added.add_argument(flag, **given)
        if row.get("state"):
            words_of_state = "the sandbox's state directory ($HAIKUFT_SANDBOX_STATE, else your own)"
            added.add_argument("--state", type=Path, metavar="DIR", help=words_of_state)
        if "commands" in row:
            add_commands(added, row["commands"])
        else:
            added.set_defaults(command=row["call"])
