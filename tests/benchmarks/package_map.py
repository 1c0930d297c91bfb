"""The map of the package that the README holds: each folder with the first sentence about it.

python tests/benchmarks/package_map.py
"""

import ast
from pathlib import Path

from usage import parse

ROOT = Path(__file__).resolve().parents[2]


def build_map(root: Path = ROOT) -> str:
    """Build the map as a Markdown table, from the docstrings of packages and top-level modules."""
    rows = ["| part | holds |", "| --- | --- |"]
    package = root / "haikuft"
    folders = sorted(path.parent for path in package.rglob("__init__.py"))
    modules = sorted(path for path in package.glob("*.py") if path.stem != "__init__")
    for path in [*modules, *folders]:
        source = path / "__init__.py" if path.is_dir() else path
        docstring = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
        sentence = " ".join(docstring.split("\n\n")[0].split())
        name = path.relative_to(root).as_posix() + ("/" if path.is_dir() else "")
        rows.append(f"| `{name}` | {sentence} |")
    return "\n".join(rows)


if __name__ == "__main__":
    parse(__doc__)
    print(build_map())
