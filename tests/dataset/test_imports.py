"""The data sets' modules are light: the command line can check files without waiting."""

import subprocess
import sys
from pathlib import Path

HEAVY = {
    "boto3", "botocore", "pandas", "numpy", "matplotlib", "moto", "sklearn", "scipy", "tqdm",
    "ipywidgets", "jupyterlab", "papermill", "pyarrow", "openpyxl",
}  # fmt: skip


def loaded_by(code: str, *arguments: object) -> set[str]:
    """Run a program of its own and give the top-level modules it has loaded at its end."""
    end = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code + end, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_dataset_when_imported_whole_then_nothing_heavy_is_loaded() -> None:
    """Neither boto3 nor pandas nor anything else that takes its time."""
    code = (
        "import haikuft.dataset as data, haikuft.base_models, haikuft.hyperparameters\n"
        "for name in dir(data): getattr(data, name)"
    )
    assert not loaded_by(code) & HEAVY


def test_validate_when_run_then_nothing_heavy_is_loaded(write, make_lines) -> None:
    """Good lines, bad lines and JSON included; of third parties msgspec alone is needed."""
    good, bad = write(make_lines(60)), write([*make_lines(60), b"{\n", b"{}\n"], "bad.jsonl")
    code = (
        "import sys\nfrom haikuft.cli import main\n"
        "main(['validate', sys.argv[1]])\n"
        "main(['validate', sys.argv[1], '--test', sys.argv[2], '--format', 'json', '--strict'])"
    )
    names = loaded_by(code, good, bad)
    assert "msgspec" in names
    assert not names & HEAVY


def test_validate_when_run_on_good_lines_then_the_full_check_is_not_loaded_either(
    write, make_lines
) -> None:
    """Messages are imported when there is a problem."""
    code = (
        "import sys\nfrom haikuft.cli import main\nmain(['validate', sys.argv[1]])\n"
        "assert 'haikuft.dataset.validate.file_rules' in sys.modules\n"
        "assert 'haikuft.dataset.read.json_values' not in sys.modules\n"
        "assert 'haikuft.dataset.validate.line_rules' not in sys.modules\n"
        "assert 'haikuft.dataset.content' not in sys.modules"
    )
    path: Path = write(make_lines(60))
    assert "haikuft" in loaded_by(code, path)
