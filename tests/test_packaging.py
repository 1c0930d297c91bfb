"""What is installed, by pip and by conda, and what the README says of it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
SIX = ("jupyterlab", "boto3", "pandas", "matplotlib", "ipywidgets", "papermill")


@pytest.fixture(scope="module")
def requirements() -> dict[str, Requirement]:
    """Read the dependencies that pip installs, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {found.name: found for found in map(Requirement, project["dependencies"])}


@pytest.fixture(scope="module")
def conda() -> list[object]:
    """Read the dependencies that conda installs."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    return list(environment["dependencies"])


def test_environment_when_compared_with_pyproject_then_names_and_bounds_are_equal(
    requirements: dict[str, Requirement], conda: list[object]
) -> None:
    """Both ways lead to the same packages."""
    packages = [Requirement(str(line)) for line in conda[1:-2]]

    assert {found.name: found.specifier for found in packages} == {
        name: requirements[name].specifier for name in SIX
    }


def test_environment_when_read_then_it_pins_one_minor_python_and_ends_with_the_package(
    conda: list[object],
) -> None:
    """Binder and Studio Lab take it as it is."""
    assert re.fullmatch(r"python=3\.1[1-3]", str(conda[0]))
    assert conda[-2:] == ["pip", {"pip": ["-e ."]}]


def test_requirements_when_read_then_each_has_a_lower_and_an_upper_bound(
    requirements: dict[str, Requirement],
) -> None:
    """What worked today keeps working."""
    for requirement in requirements.values():
        operators = {bound.operator for bound in requirement.specifier}
        assert operators == {">=", "<"}, requirement


def test_package_when_imported_then_of_all_dependencies_only_msgspec_is_loaded() -> None:
    """`haikuft sandbox status` in a shell prompt must not wait for pandas; msgspec is small."""
    script = (
        "import sys; before = set(sys.modules)\n"
        "import haikuft, haikuft.cli, haikuft.sandbox\n"
        "haikuft.cli.build_parser()\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names - {'haikuft'}))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['msgspec', 'typing_extensions']"


def test_data_files_when_packaged_then_a_wheel_has_each_of_them() -> None:
    """A table beside the code is of no use where only the code is installed."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packaged = {
        path
        for package, patterns in tools["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }

    found = {path for path in (ROOT / "haikuft").rglob("*") if path.is_file()}
    assert packaged == {path for path in found if path.suffix not in (".py", ".pyc")}


def test_ci_when_run_then_it_runs_a_command_that_stands_in_the_readme() -> None:
    """The line that .ci/run looks for is there, once, and makes its own environment."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    found = re.findall(r"^python3 -m venv \.venv && .*pytest.*$", readme, flags=re.MULTILINE)

    assert len(found) == 1
    assert "pip install -e '.[test]'" in found[0]


@pytest.mark.parametrize("name", [".ci/run", ".ci/slow"])
def test_scripts_when_checked_by_bash_then_they_parse(name: str) -> None:
    """And can be executed."""
    subprocess.run(["/bin/bash", "-n", ROOT / name], check=True)
    assert (ROOT / name).stat().st_mode & 0o111
