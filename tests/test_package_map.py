"""The README's map of the package is the one that the code prints."""

from pathlib import Path

from package_map import build_map

README = Path(__file__).parents[1] / "README.md"


def test_readme_when_read_then_its_map_is_what_the_code_prints() -> None:
    """Run tests/benchmarks/package_map.py, and put what it prints between the two marks."""
    _, _, rest = README.read_text("utf-8").partition("package_map.py -->\n")
    assert rest.partition("\n<!-- map: end -->")[0] == build_map()
