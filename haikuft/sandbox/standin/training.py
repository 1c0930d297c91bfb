"""The training of a job, as a process: `python -m haikuft.sandbox.standin.training WORKDIR`.

The files that it reads and writes in the working directory are in `contract`; the metric files have
AWS's columns.

It ends when its standard input ends: the server has the other end of that pipe, so the training
ends also when the server is killed.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from haikuft.base_models import get_base_model
from haikuft.dataset.read.training_files import read_records
from haikuft.errors import HaikuftError
from haikuft.files import write_whole
from haikuft.hyperparameters import count_steps, from_aws
from haikuft.sandbox.standin import contract
from haikuft.sandbox.standin.contract import TrainingJob, TrainingProgress, TrainingResult

if TYPE_CHECKING:
    from haikuft.sandbox.standin.model import Point, Training

PROGRESS_SECONDS = 0.2  # between two writings of progress.json
BLAS_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "BLIS")


def run_training(workdir: Path, *, clock: Callable[[], float] = time.monotonic) -> "Training":
    """Train as `job.json` says and write the results beside it.

    Raises:
        HaikuftError: a file is missing or cannot be used; the message says which and how.
    """
    # These load NumPy, for which `main` prepares.
    from haikuft.sandbox.standin.model import build_training_config, train

    job = contract.read(workdir, TrainingJob)
    base_model = get_base_model(job.base_model_id)
    config = build_training_config(base_model, from_aws(job.hyperparameters, base_model))
    training = read_records(workdir / contract.TRAINING_DATA, lenient=True)
    held_out = workdir / contract.VALIDATION_DATA
    validation = read_records(held_out, lenient=True) if held_out.exists() else []
    steps_in_all = config.epoch_count * count_steps(len(training), config.batch_size)
    written, curve = clock(), []

    def report(point: "Point") -> None:
        nonlocal written
        if point.step == 1 or clock() - written >= PROGRESS_SECONDS:
            written = clock()
            curve.append(point)
            _write_progress(workdir, curve, steps_in_all)

    made = train(training, validation, config, seed=job.seed, on_step=report)
    _write_progress(workdir, [*curve, made.steps[-1]], steps_in_all)
    made.model.save(workdir / contract.MODEL_DIRECTORY)
    _write_metrics(workdir / contract.TRAINING_METRICS, "training_loss", made.steps)
    if validation:
        _write_metrics(workdir / contract.VALIDATION_METRICS, "validation_loss", made.validations)
    result = TrainingResult(
        training_loss=made.model.loss(training),
        validation_loss=made.validations[made.kept_epoch - 1].loss if validation else None,
        stopped_epoch=made.early_stop.stopped_epoch if made.early_stop else None,
        kept_epoch=made.kept_epoch,
    )
    contract.write(workdir, result)
    return made


def exit_with(stream: BinaryIO, *, leave: Callable[[int], object] = os._exit) -> threading.Thread:
    """Watch a stream in a thread, and exit the process when it ends."""

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
        print("usage: python -m haikuft.sandbox.standin.training WORKDIR", file=sys.stderr)
        return 1
    # One thread: sums then come out the same every time, and the server keeps a core.
    os.environ |= {f"{library}_NUM_THREADS": "1" for library in BLAS_LIBRARIES}
    # Not sys.stdin, whose lock the interpreter's end would wait for.
    exit_with(os.fdopen(0, "rb", buffering=0, closefd=False))
    try:
        run_training(Path(arguments[0]))
    except (HaikuftError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _write_metrics(path: Path, name: str, points: "Sequence[Point]") -> None:
    rows = [f"{point.step},{point.epoch},{point.loss:.6g}" for point in points]
    write_whole(path, "\n".join([f"step_number,epoch_number,{name}", *rows, ""]))


def _write_progress(workdir: Path, curve: "Sequence[Point]", steps: int) -> None:
    last = curve[-1]
    points = tuple((point.step, point.loss) for point in curve)
    contract.write(workdir, TrainingProgress(last.step, steps, last.epoch, last.loss, points))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
