"""How long a user waits, for two commits in turn, each beside a yardstick in the same round.

    python tests/benchmarks/speed.py BEFORE AFTER [ROW …]

Each commit is checked out into a folder of its own and runs with this very Python. Prints for each
row the medians of both commits over `ROUNDS` rounds, their ratios to the yardstick's (without one,
the second's to the first's), what is wanted at most, and the machine's load. Processor time is that
of all processes that a command has started, forks and servers too, read from /proc, so this needs
Linux. Rows:

- `run`: `haikuft run` against seven empty notebooks by papermill in one process, without the
  optional parser that takes papermill three seconds; wall and processor time.
- `mistyped`: `haikuft run` with a wrong parameter against `import argparse`; processor time.
- `lab`: `haikuft lab` until its page answers against `jupyter lab`; and its first printed line.
- `validate`: 10,000 records of 1 KB and of 8 KB against json.loads; processor time.
- `memory`: of the sandbox, 30 s after three runs of 4,000 to 10,000 records; and the next reply
  against a cold start. One round, for it takes minutes.
- `answers`: the stand-in trained on 410 JSON answers of 1.7 KB with a large vocabulary, batch 4, 5
  epochs, and asked 50 unseen prompts; processor time, and the share of replies that are JSON.
- `labels`: the same with 10,000 short texts of 77 labels, and the share of 500 replies that are
  right.
- `intents`: notebook 6 on 10,003 texts with 77 labels; one round, for it takes minutes.
- `asking`: 500 prompts asked in each of the ways of `asking.py`, against the ideal; one round.

What a form takes is measured by `forms_speed.py`. Not collected by pytest, for a timing is no test.
"""

import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import nan
from pathlib import Path
from statistics import median
from typing import Any

import asking
from made_answers import SYSTEM, make_answers
from made_intents import make_split
from usage import parse

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
RECORDS = (4_000, 7_000, 10_000)  # of the runs after which the sandbox's memory is measured
TICKS = os.sysconf("SC_CLK_TCK")
MAIN = "import sys; from haikuft.cli import main; sys.exit(main(sys.argv[1:]))"
PARSE = "import json, sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
EMPTY = """
import json, pathlib, sys
sys.modules["rfc3987_syntax"] = None
import papermill
cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "outputs": []}
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
notebook = {"cells": [{**cell, "execution_count": None}], "metadata": {"kernelspec": kernel},
            "nbformat": 4, "nbformat_minor": 5}
pathlib.Path("empty.ipynb").write_text(json.dumps(notebook))
for number in range(7):
    papermill.execute_notebook("empty.ipynb", f"{number}.ipynb", progress_bar=False)
"""
TRAIN = """
import json, pathlib, statistics, sys, time

def is_good(text, wanted):
    if not wanted.startswith("{"):
        return text == wanted
    try:
        return bool(json.loads(text))
    except ValueError:
        return False

from haikuft.sandbox.standin.model import StandIn
from haikuft.sandbox.standin.training import run_training
folder, times, good = pathlib.Path(sys.argv[1]), [], 0
began = time.process_time()
run_training(folder)
trained = time.process_time() - began
model = StandIn.load(folder / "model")
for record in json.loads((folder / "unseen.json").read_text()):
    began = time.process_time()
    asked = record["system"], record["messages"][:-1]
    text = model.generate(*asked, max_tokens=4000, temperature=0.0).text
    times.append(time.process_time() - began)
    good += is_good(text, record["messages"][-1]["content"])
share = 100 * good / len(times)
print(json.dumps({"training": trained, "reply": statistics.median(times), "good %": share}))
"""

Figures = dict[str, float]  # what was measured -> seconds, or MB of memory
Pairs = Sequence[tuple[str, str]]  # prompts, each with its reply


def measure(command: list[str], folder: Path, tree: Path) -> tuple[float, float]:
    """Run a command to its end; wall and processor seconds, of all processes it has started.

    Raises:
        SystemExit: it has not ended well, so that its time says nothing.
    """
    mark = f"MEASURED={uuid.uuid4().hex}"
    spent: dict[tuple[str, str], float] = {}
    began = time.monotonic()
    with (folder / "said.txt").open("w") as said:
        process = start(command, folder, tree, stdout=said, MEASURED=mark.partition("=")[2])
        while process.poll() is None:
            spent |= dict(read_processes(mark.encode()))
            time.sleep(0.03)
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{command}\n{(folder / 'said.txt').read_text()}")
    spent |= dict(read_processes(mark.encode()))  # a server goes on
    return seconds, sum(spent.values())


def measure_alone(command: list[str], tree: Path) -> float:
    """Run a command that leaves no process behind; processor seconds, exact for short ones."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start(command, tree, tree, stdout=subprocess.DEVNULL).wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start(
    command: list[str], folder: Path, tree: Path, *, stdout: object = None, **environment: str
) -> "subprocess.Popen[str]":
    """Start a command with the package of a tree."""
    surroundings = {**os.environ, "PYTHONPATH": str(tree), "PYTHONUNBUFFERED": "1", **environment}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles the tree anew
    options = {"stderr": subprocess.STDOUT, "text": True, "env": surroundings, "cwd": folder}
    return subprocess.Popen(command, stdout=stdout, **options)  # type: ignore[call-overload]


def read_processes(mark: bytes) -> Iterator[tuple[tuple[str, str], float]]:
    """Give (process id, start) and processor seconds of each process whose environment says so."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (path / "environ").read_bytes():
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                yield (path.name, fields[19]), (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def sandboxed(tree: Path) -> Iterator[list[str]]:
    """Give the command `haikuft` with a sandbox of its own, which is stopped at the end."""
    with tempfile.TemporaryDirectory() as state:
        os.environ["HAIKUFT_SANDBOX_STATE"] = state
        command = [sys.executable, "-c", MAIN]
        try:
            yield command
        finally:
            measure([*command, "sandbox", "stop"], tree, tree)


def run_series(tree: Path) -> Figures:
    """Time the whole series."""
    with sandboxed(tree) as haikuft:
        wall, processor = measure([*haikuft, "run", "--run", new_run()], tree, tree)
    return {"wall": wall, "processor": processor}


def run_empty(folder: Path) -> Figures:
    """Time seven notebooks that do nothing."""
    wall, processor = measure([sys.executable, "-c", EMPTY], folder, ROOT)
    return {"wall": wall, "processor": processor}


def run_mistyped(tree: Path) -> Figures:
    """Time a run that stops at its parameters."""
    command = [sys.executable, "-c", MAIN, "run", "-p", "epoch_cout", "2"]
    return {"processor": measure_alone(command, tree)}


def import_argparse(folder: Path) -> Figures:
    """Time the least that a command line loads."""
    return {"processor": measure_alone([sys.executable, "-c", "import argparse"], folder)}


def open_lab(command: list[str], tree: Path) -> Figures:
    """Time JupyterLab until its first line, and until its page answers."""
    port = random.randint(20_000, 40_000)  # noqa: S311 - no secret
    began = time.monotonic()
    process = start([*command, f"--port={port}"], tree, tree, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    first = time.monotonic() - began
    while True:
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=60).read()
            break
        time.sleep(0.02)
    seconds = time.monotonic() - began
    process.terminate()
    process.communicate()
    return {"page": seconds, "first line": first}


def open_haikuft(tree: Path) -> Figures:
    """Time `haikuft lab`."""
    return open_lab([sys.executable, "-c", MAIN, "lab", "--no-browser"], tree)


def open_jupyter(folder: Path) -> Figures:
    """Time `jupyter lab`; its first line is no yardstick."""
    options = ["--no-browser", "--allow-root"]
    return {"page": open_lab([sys.executable, "-m", "jupyterlab", *options], folder)["page"]}


def write_records(path: Path, size: int) -> None:
    """Write sound records of so many bytes each, of words, line ends and quotes."""
    draw = random.Random(size)  # noqa: S311 - a benchmark, no secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(2_000)]

    def talk(length: int) -> str:
        parts = [draw.choice(words) for _ in range(length // 6)]
        for place in range(20, len(parts), 40):
            parts[place] = draw.choice(['"yes"', "so:\n-", "(no)"])
        return " ".join(parts)

    with path.open("w", encoding="utf-8") as file:
        for number in range(10_000):
            turns = [
                {"role": "user", "content": f"{number} {talk(int(size * 0.55))}"},
                {"role": "assistant", "content": talk(int(size * 0.3))},
            ]
            record = {"system": "You are a helpful assistant. Be brief.", "messages": turns}
            file.write(json.dumps(record) + "\n")


def read_lines(code: str, tree: Path, *arguments: str) -> Figures:
    """Time whole processes that read the records of each size."""
    figures = {}
    for size in (1, 8):
        path = Path(tempfile.gettempdir(), f"haikuft-records-{size}.jsonl")
        if not path.exists():
            write_records(path, size * 1_000)
        command = [sys.executable, "-c", code, *arguments, str(path)]
        figures[f"{size} KB"] = measure_alone(command, tree)
    return figures


def rest(tree: Path) -> Figures:
    """Measure the sandbox's memory at rest after runs, and its replies then and after a start."""
    run = ""
    with sandboxed(tree) as haikuft:
        for count in RECORDS:
            run, options = new_run(), ["--dataset", write_intents(tree, count)]
            options += ["--no-clean-up"] if count == RECORDS[-1] else []  # its model is asked
            measure([*haikuft, "run", "--run", run, *options], tree, tree)
        time.sleep(30)
        asked = [*haikuft, "sandbox", "status", "--format", "json"]
        state = json.loads(subprocess.check_output(asked, **at(tree)))
        status = Path(f"/proc/{state['pid']}/status").read_text()
        memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        resting = ask_once(tree, run)
        measure([*haikuft, "sandbox", "stop"], tree, tree)
        measure([*haikuft, "sandbox", "start"], tree, tree)
        return {"MB": memory, "reply at rest": resting, "reply after a start": ask_once(tree, run)}


def ask_once(tree: Path, run: str) -> float:
    """Time one reply of a run's tuned model, in seconds."""
    code = (
        "import sys, time; from haikuft.runs.run_record import open_run\n"
        "walk = open_run(sys.argv[1]); runtime = walk.connection.client('bedrock-runtime')\n"
        "turns = [{'role': 'user', 'content': [{'text': 'hello'}]}]; began = time.perf_counter()\n"
        "runtime.converse(modelId=walk.record.served_arn, messages=turns)\n"
        "print(time.perf_counter() - began)"
    )
    return float(subprocess.check_output([sys.executable, "-c", code, run], **at(tree)))


def train_answers(tree: Path) -> Figures:
    """Train the stand-in on JSON answers, and ask it."""
    unseen = make_answers(50, seed=2, unseen=True)
    return train(tree, SYSTEM, make_answers(410, seed=1), unseen, batch=4)


def train_labels(tree: Path) -> Figures:
    """Train the stand-in on short texts with 77 labels, and ask it."""
    training, unseen = make_split(10_000, 500, seed=1)
    return train(tree, "File the message.", training, unseen, batch=32)


def train(tree: Path, system: str, training: Pairs, unseen: Pairs, *, batch: int) -> Figures:
    """Train the stand-in in one thread, as a job does, and ask it."""

    def make_records(pairs: Pairs) -> list[dict[str, Any]]:
        return [
            {
                "system": system,
                "messages": [
                    {"role": "user", "content": request},
                    {"role": "assistant", "content": answer},
                ],
            }
            for request, answer in pairs
        ]

    job = {"epochCount": "5", "batchSize": str(batch)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = (json.dumps(record) + "\n" for record in make_records(training))
        (folder / "training.jsonl").write_text("".join(lines))
        (folder / "unseen.json").write_text(json.dumps(make_records(unseen)))
        settings = {"hyperparameters": job, "base_model_id": "", "seed": 0}
        (folder / "job.json").write_text(json.dumps(settings))
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", TRAIN, str(folder)]
        said = start(command, tree, tree, stdout=subprocess.PIPE, **threads).communicate()[0]
        return {what: float(value) for what, value in json.loads(said).items()}


def write_intents(tree: Path, count: int) -> str:
    """Write so many short messages with 77 labels; return the name of the data set."""
    name = f"intents_{count}"
    folder = tree / "data" / name
    folder.mkdir(exist_ok=True)
    pairs, _ = make_split(count, 0, seed=1)
    lines = (json.dumps({"prompt": text, "completion": label}) + "\n" for text, label in pairs)
    (folder / "raw.jsonl").write_text("".join(lines))
    return name


def evaluate_intents(tree: Path) -> Figures:
    """Time notebook 6 on short messages with 77 labels."""
    name, run = write_intents(tree, 10_003), new_run()
    with sandboxed(tree) as haikuft:
        measure([*haikuft, "run", "--run", run, "--dataset", name, "--to", "6"], tree, tree)
    executed = tree / "runs" / run / "notebooks" / "06_evaluate.ipynb"
    return {"notebook 6": json.loads(executed.read_text())["metadata"]["papermill"]["duration"]}


def ask(tree: Path) -> Figures:
    """Ask a stub in each of the ways of `asking.py`; how many times the ideal each takes."""
    command = [sys.executable, str(ROOT / "tests/benchmarks/asking.py")]
    said = subprocess.run(command, **at(tree), capture_output=True, text=True, check=False).stdout
    found = re.findall(r"^(\w+): .* s, ([\d.]+) times", said, re.MULTILINE)
    return {name: float(ratio) for name, ratio in found}


def at(tree: Path) -> dict[str, object]:
    """Options of a command that runs in a tree with its package."""
    return {"cwd": tree, "env": {**os.environ, "PYTHONPATH": str(tree)}}


def new_run() -> str:
    """Make up the name of a run."""
    return f"b{uuid.uuid4().hex[:6]}"


def nothing(_: Path) -> Figures:
    """Stand in for a yardstick where the commit before is the yardstick."""
    return {}


# Name -> the yardstick, what is measured, the ratios or figures wanted at most, and the rounds.
Row = tuple[Callable[[Path], Figures], Callable[[Path], Figures], Mapping[str, float], int]
ROWS: dict[str, Row] = {
    "run": (run_empty, run_series, {"wall": 2.8, "processor": 3.0}, ROUNDS),
    "mistyped": (import_argparse, run_mistyped, {"processor": 8.0}, ROUNDS),
    "lab": (open_jupyter, open_haikuft, {"page": 1.1, "first line": 0.5}, ROUNDS),
    "validate": (
        lambda folder: read_lines(PARSE, folder),
        lambda tree: read_lines(MAIN, tree, "validate"),
        {"1 KB": 2.1, "8 KB": 1.5},
        ROUNDS,
    ),
    "memory": (nothing, rest, {"MB": 150.0}, 1),
    "answers": (nothing, train_answers, {}, 1),
    "labels": (nothing, train_labels, {}, ROUNDS),
    "intents": (nothing, evaluate_intents, {}, 1),
    "asking": (nothing, ask, {name: row[2] for name, row in asking.ROWS.items()}, 1),
}


def main() -> int:
    """Measure the rows in turn and print them."""
    both = {"nargs": 2, "metavar": "COMMIT", "help": "before, and after"}
    rows = {"nargs": "*", "choices": [*ROWS, []], "metavar": "ROW", "help": "all, if none"}
    given = parse(__doc__, commits=both, rows=rows)
    commits, names = given.commits, given.rows or [*ROWS]
    folder = Path(tempfile.mkdtemp())
    trees = [folder / str(place) for place in range(len(commits))]
    git = ["git", "-C", str(ROOT), "worktree"]
    try:
        for tree, commit in zip(trees, commits, strict=True):
            subprocess.run([*git, "add", "-q", "--detach", str(tree), commit], check=True)
        for name in names:
            yardstick, work, wanted, rounds = ROWS[name]
            found = [(yardstick(folder), *map(work, trees)) for _ in range(rounds)]
            load = os.getloadavg()[0]
            for what in found[0][2]:
                floor, before, after = (
                    median(one[place].get(what, nan) for one in found) for place in range(3)
                )
                ratios = f"ratio {after / before:.2f}"
                if floor > 0:
                    ratios = f"yardstick {floor:.2f}, "
                    ratios += f"ratios {before / floor:.2f} and {after / floor:.2f}"
                most = f" (at most {wanted[what]})" if what in wanted else ""
                line = f"{name}, {what}: before {before:.2f}, after {after:.2f}, {ratios}{most}"
                print(f"{line}; load {load:.1f}", flush=True)
    finally:
        for tree in trees:
            subprocess.run([*git, "remove", "--force", str(tree)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
