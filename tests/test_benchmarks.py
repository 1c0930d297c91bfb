"""Benchmarks are no tests, but each says what it measures when it is asked."""

import ast
import runpy
from pathlib import Path

import pytest

SCRIPTS = [
    path
    for path in sorted(Path(__file__).with_name("benchmarks").glob("*.py"))
    if "__main__" in path.read_text("utf-8")
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_benchmark_when_asked_for_help_then_prints_its_docstring_and_starts_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it stands there, with its lines; whatever else is said to it is refused."""
    for words, status in ((["--help"], 0), (["--no-such-option"], 2)):
        monkeypatch.setattr("sys.argv", [path.name, *words])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
        assert ended.value.code == status
    assert (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "?") in capsys.readouterr().out
