"""The training of a job, as a process of its own: `python -m haikuft.sandbox.training WORKDIR`.

It reads from the working directory `job.json` ({"hyperparameters": AWS's names and texts,
"base_model_id", "seed"}), `training.jsonl` and, if there is one, `validation.jsonl`. It writes
`progress.json` while it works (the last step's numbers, and "curve": step and training loss of each
time it wrote), and at the end the two metric files in AWS's columns, the model in
`model/`, and last of all `result.json`.

It ends by itself when its standard input does: the server holds the other end of that pipe, so a
server that was killed leaves no training behind.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from haikuft.base_models import get_base_model
from haikuft.dataset.read.training_files import read_records
from haikuft.errors import DataError, HaikuftError
from haikuft.hyperparameters import count_steps, from_aws
from haikuft.sandbox.recipe import build_recipe

if TYPE_CHECKING:
    from haikuft.sandbox.standin import Point, Training

PROGRESS_SECONDS = 0.2  # between two writings of progress.json
BLAS_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "BLIS")


def run_training(workdir: Path, *, clock: Callable[[], float] = time.monotonic) -> "Training":
    """Train as `job.json` says and write the results beside it.

    Raises:
        HaikuftError: a file is missing or cannot be used; the message says which and how.
    """
    from haikuft.sandbox.standin import train  # loads NumPy, for which `main` prepares

    job = _read_job(workdir / "job.json")
    base_model = get_base_model(job["base_model_id"])
    recipe = build_recipe(base_model, from_aws(job["hyperparameters"], base_model))
    training = read_records(workdir / "training.jsonl", lenient=True)
    held_out = workdir / "validation.jsonl"
    validation = read_records(held_out, lenient=True) if held_out.exists() else []
    steps_in_all = recipe.epoch_count * count_steps(len(training), recipe.batch_size)
    written, curve = clock(), []

    def report(point: "Point") -> None:
        nonlocal written
        if point.step == 1 or clock() - written >= PROGRESS_SECONDS:
            written = clock()
            curve.append(point)
            _write_progress(workdir, curve, steps_in_all)

    made = train(training, validation, recipe, seed=job["seed"], on_step=report)
    _write_progress(workdir, [*curve, made.steps[-1]], steps_in_all)
    made.model.save(workdir / "model")
    _write_metrics(workdir / "step_wise_training_metrics.csv", "training_loss", made.steps)
    if validation:
        _write_metrics(workdir / "validation_metrics.csv", "validation_loss", made.validations)
    result = {
        "training_loss": made.model.loss(training),
        "validation_loss": made.validations[made.kept_epoch - 1].loss if validation else None,
        "stopped_epoch": made.early_stop.stopped_epoch if made.early_stop else None,
        "kept_epoch": made.kept_epoch,
    }
    _write_whole(workdir / "result.json", json.dumps(result))
    return made


def end_with(stream: BinaryIO, *, leave: Callable[[int], object] = os._exit) -> threading.Thread:
    """Watch the stream from a thread, and leave the process when it ends."""

    def watch() -> None:
        while stream.read(1024):
            pass
        leave(1)

    thread = threading.Thread(target=watch, name="parent", daemon=True)
    thread.start()
    return thread


def main(arguments: Sequence[str]) -> int:
    """Run the training in the directory named by the only argument; say on stderr what failed."""
    if len(arguments) != 1:
        print("usage: python -m haikuft.sandbox.training WORKDIR", file=sys.stderr)
        return 1
    # One thread: sums then come out the same every time, and the server keeps a core.
    os.environ |= {f"{library}_NUM_THREADS": "1" for library in BLAS_LIBRARIES}
    # Not sys.stdin, whose lock the interpreter's end would wait for.
    end_with(os.fdopen(0, "rb", buffering=0, closefd=False))
    try:
        run_training(Path(arguments[0]))
    except (HaikuftError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _read_job(path: Path) -> dict[str, Any]:
    try:
        job = json.loads(path.read_text(encoding="utf-8"))
        return {key: job[key] for key in ("hyperparameters", "base_model_id", "seed")}
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is no job: {type(error).__name__} {error}. It needs hyperparameters, "
            "base_model_id and seed, as JSON."
        ) from error


def _write_metrics(path: Path, name: str, points: "Sequence[Point]") -> None:
    rows = [f"{point.step},{point.epoch},{point.loss:.6g}" for point in points]
    _write_whole(path, "\n".join([f"step_number,epoch_number,{name}", *rows, ""]))


def _write_progress(workdir: Path, curve: "Sequence[Point]", steps: int) -> None:
    last = curve[-1]
    now = {
        "step": last.step,
        "steps": steps,
        "epoch": last.epoch,
        "training_loss": last.loss,
        "curve": [[point.step, point.loss] for point in curve],
    }
    _write_whole(workdir / "progress.json", json.dumps(now))


def _write_whole(path: Path, text: str) -> None:
    """Write so that a reader sees the old file or the new one, never half of one."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
