"""The sandbox's packages: small folders, and imports in one direction."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "haikuft" / "sandbox"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")
}
MOST_FILES = 12
BELOW = {  # package -> the packages that it may import
    "persistence": set(),
    "standin": set(),
    "http": set(),
    "access": {"http", "persistence"},
    "bedrock": {"access", "http", "persistence"},
    "jobs": {"access", "bedrock", "http", "standin"},
    "runtime": {"bedrock", "http", "standin"},
}


def find_imports(name: str) -> set[str]:
    """Find the sandbox's modules that a module imports, within functions, too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("haikuft.sandbox"):
            module = str(node.module).removeprefix("haikuft.sandbox").lstrip(".")
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                found.add(inner if inner in MODULES else module or "__init__")
    return found


@pytest.mark.parametrize("package", BELOW)
def test_package_when_read_then_has_few_files_and_one_concern(package: str) -> None:
    """Its docstring is one sentence that says the concern."""
    files = list((ROOT / package).glob("*.py"))
    docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()))
    assert len(files) <= MOST_FILES
    assert docstring
    assert docstring.endswith(".")
    assert "\n" not in docstring


def test_packages_when_read_then_are_those_that_have_an_order() -> None:
    """A new one has its place in the order, too."""
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(BELOW)


@pytest.mark.parametrize("name", MODULES)
def test_module_when_it_imports_then_only_from_packages_below_its_own(name: str) -> None:
    """And from modules at the top that are below all packages."""
    package, dot, _ = name.partition(".")
    if not dot:
        return
    for imported in find_imports(name):
        other, dot, _ = imported.partition(".")
        allowed = BELOW[package] | {package} if dot else {"settings", "directory"}
        assert other in allowed, f"{name} imports {imported}"


def test_modules_when_they_import_each_other_then_without_a_cycle() -> None:
    """Counting imports within functions."""
    graph = {name: find_imports(name) - {"__init__"} for name in MODULES if name != "__init__"}
    TopologicalSorter(graph).prepare()
