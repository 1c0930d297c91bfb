"""Each public name has a user: a notebook, the README, a command, or another folder."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [
    path.parent
    for path in sorted((ROOT / "haikuft").rglob("__init__.py"))
    if "sandbox" not in path.parts and "__all__" in path.read_text("utf-8")
]
USERS = [ROOT / "README.md", *ROOT.glob("notebooks/**/*.ipynb"), *ROOT.glob("haikuft/**/*.py")]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_public_names_when_listed_then_each_is_used_outside_the_folder(folder: Path) -> None:
    """What only the folder's own modules use is imported from its module."""
    package = importlib.import_module(".".join(folder.relative_to(ROOT).parts))
    outside = "".join(path.read_text("utf-8") for path in USERS if not path.is_relative_to(folder))
    if folder.name == "haikuft":
        outside = "".join(path.read_text("utf-8") for path in USERS)
    assert [name for name in package.__all__ if not re.search(rf"\b{name}\b", outside)] == []
