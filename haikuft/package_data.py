"""Read the data files that the package ships beside its code: tables, style sheets, scripts."""

import csv
import tomllib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]  # importlib.resources would load tempfile, for zip archives


def read_text(package: str, name: str) -> str:
    """Read a UTF-8 text file of a package, such as ("haikuft.forms", "forms.css")."""
    return _ROOT.joinpath(*package.split("."), name).read_text(encoding="utf-8")


def read_csv(package: str, name: str) -> list[dict[str, str]]:
    """Read a CSV file of a package: a row for each line, by the column names of the first."""
    return list(csv.DictReader(read_text(package, name).split("\n")))


def read_toml(package: str, name: str) -> dict[str, Any]:
    """Read a TOML file of a package."""
    return tomllib.loads(read_text(package, name))
