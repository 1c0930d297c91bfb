"""A copy of the project's folder to run notebooks in, so that no test writes into the real one."""

import shutil
from pathlib import Path

REAL = Path(__file__).resolve().parents[2]


def copy_project(root: Path) -> Path:
    """Copy what a run reads; the package is the installed one, its folder only marks the root."""
    for name in ("notebooks", "data"):
        shutil.copytree(REAL / name, root / name, ignore=shutil.ignore_patterns(".*"))
    shutil.copy(REAL / "pyproject.toml", root)
    (root / "haikuft").mkdir()
    return root
