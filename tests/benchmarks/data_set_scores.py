"""The table of README that tells how the stand-in does on each data set of `data/`.

    python tests/benchmarks/data_set_scores.py [NAME …] > table.md

Runs notebooks 1 to 6 headless for each data set, on a sandbox in a folder of its own, and prints
a row a data set, in Markdown. `-` stands where no classifier can compete: most answers differ.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from usage import parse

ROOT = Path(__file__).resolve().parents[2]
HEAD = ("data set", "score", "n", "base", "free baseline", "tuned, 95 % interval", "verdict")
HAIKUFT = str(Path(sys.executable).with_name("haikuft"))


def evaluate(name: str, folder: Path) -> dict[str, Any]:
    """Run notebooks 1 to 6 in a copy of the project; give what `evaluation.json` holds."""
    for part in ("notebooks", "data", "haikuft"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "pyproject.toml", folder)
    state = ("--state", str(folder / "state"))
    for command in (
        ("run", "--run", "scores", "--to", "6", "--dataset", name),
        ("sandbox", "stop"),
    ):
        subprocess.run(
            [HAIKUFT, *command, *state], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    return json.loads((folder / "runs" / "scores" / "evaluation.json").read_text())


def build_row(name: str, evaluation: dict[str, Any]) -> tuple[str, ...]:
    """Build the cells of a data set's row."""
    rows = [row for row in evaluation["scores"] if row["metric"] == evaluation["metric"]]
    base, tuned = (next(r for r in rows if r["model"] == m) for m in ("base", "tuned"))
    rivals = [row["score"] for row in rows if row["model"] not in ("base", "tuned")]
    interval = f"{tuned['score']:.1%} ({tuned['low']:.1%} to {tuned['high']:.1%})"
    verdict = next(c["verdict"] for c in evaluation["comparisons"] if c["model"] == "tuned")
    best = f"{max(rivals):.1%}" if rivals else "-"
    cells = (base["title"], str(evaluation["n"]), f"{base['score']:.1%}", best, interval, verdict)
    return (f"`{name}`", *cells)


def main(names: list[str]) -> None:
    """Print the table."""
    names = names or sorted(path.parent.name for path in ROOT.glob("data/*/raw.jsonl"))
    print("|", " | ".join(HEAD), "|")
    print("|---" * len(HEAD) + "|")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            row = build_row(name, evaluate(name, Path(folder)))
        print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main(parse(__doc__, names={"nargs": "*", "metavar": "NAME", "help": "all, if none"}).names)
