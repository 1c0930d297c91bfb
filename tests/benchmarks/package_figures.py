"""Figures of the package's size and structure, for the working tree or any commit.

    python tests/benchmarks/package_figures.py [COMMIT …]

Prints a row a tree: code lines (no blank, comment or docstring) in `haikuft/` and outside its
sandbox, the files in the largest folder, the names in `__all__` outside the sandbox and how many of
them the notebooks use, and the import cycles, counting imports inside functions. In how many
modules a frame runs while the sandbox answers a request is printed by `sandbox_frames.py`.
"""

import ast
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from usage import parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def count_code_lines(source: str) -> int:
    """Count the lines that hold code."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node):
            first = node.body[0]
            docstrings |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(
        number not in docstrings and bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in enumerate(source.splitlines(), 1)
    )


def read_modules(root: Path) -> dict[str, Path]:
    """Map each module's dotted name to its file."""
    modules = {}
    for path in sorted((root / "haikuft").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def find_imports(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """Yield our modules that this one imports when it runs, inside functions too."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def find_cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Find the groups of modules that import one another (Tarjan's components of two or more)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return found


def exported(modules: dict[str, Path]) -> set[tuple[str, str]]:
    """List (module, name) of every name in an `__all__` outside the sandbox."""
    names = set()
    for module, path in modules.items():
        if module.startswith("haikuft.sandbox"):
            continue
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.Assign) or "__all__" not in ast.unparse(node.targets[0]):
                continue
            lists = node.value.elts if isinstance(node.value, ast.List) else []
            if isinstance(node.value, ast.Call):  # of offer_names: module -> names in a text
                lists = [one for each in node.value.args[1:] for one in getattr(each, "values", [])]
            words = (one.value for one in lists if isinstance(one, ast.Constant))
            texts = [text for word in words for text in str(word).split()]
            names |= {(module, text) for text in texts}
    return names


def used_in_notebooks(root: Path) -> set[str]:
    """List every attribute and imported name in the notebooks' code."""
    used = set()
    for path in (root / "notebooks").rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                for node in ast.walk(ast.parse("".join(cell["source"]))):
                    if isinstance(node, ast.Attribute):
                        used.add(node.attr)
                    elif isinstance(node, ast.ImportFrom):
                        used |= {alias.name for alias in node.names}
    return used


def measure(root: Path) -> dict[str, object]:
    """Take all figures of a tree."""
    modules = read_modules(root)
    lines = {name: count_code_lines(path.read_text()) for name, path in modules.items()}
    graph = {
        name: {other for other in find_imports(name, path, modules) if other in modules} - {name}
        for name, path in modules.items()
    }
    folder, files = Counter(path.parent for path in modules.values()).most_common(1)[0]
    names, used = exported(modules), used_in_notebooks(root)
    return {
        "code lines": sum(lines.values()),
        "outside sandbox": sum(
            count for name, count in lines.items() if not name.startswith("haikuft.sandbox")
        ),
        "modules": len(modules),
        "largest folder": f"{files} ({folder.relative_to(root)})",
        "names in __all__": len(names),
        "of these in notebooks": sum(name in used for _, name in names),
        "import cycles": find_cycles(graph) or 0,
    }


def main(commits: list[str]) -> None:
    """Print the figures of the working tree, or of each commit."""
    if not commits:
        print(measure(ROOT))
    for commit in commits:
        with tempfile.TemporaryDirectory() as folder:
            archive = subprocess.run(
                ["/usr/bin/env", "git", "archive", commit, "haikuft", "notebooks"],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
            subprocess.run(
                ["/usr/bin/env", "tar", "-x", "-C", folder], input=archive.stdout, check=True
            )
            print(commit, measure(Path(folder)))


if __name__ == "__main__":
    main(parse(__doc__, commits={"nargs": "*", "metavar": "COMMIT"}).commits)
