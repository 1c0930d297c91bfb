"""The training of a job, as a process: `python -m haikuft.sandbox.standin.training WORKDIR`.

The contract with the server is the files of the working directory. The server writes `job.json`
and the data files, and starts the process there. The process writes `progress.json` while it
trains, at the end the metric files, which have AWS's columns, and the model, and last of all
`result.json`. Each JSON file is one of the values below, written completely or not at all.

It ends when its standard input ends: the server has the other end of that pipe, so the training
ends also when the server is killed.
"""

import atexit
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import msgspec

from haikuft.base_models import get_base_model
from haikuft.dataset.read.training_files import read_records
from haikuft.errors import DataError, HaikuftError
from haikuft.files import write_whole
from haikuft.hyperparameters import count_steps, from_aws

if TYPE_CHECKING:
    from haikuft.sandbox.standin.model import Point, Training

TRAINING_DATA, VALIDATION_DATA = "training.jsonl", "validation.jsonl"
TRAINING_METRICS, VALIDATION_METRICS = "step_wise_training_metrics.csv", "validation_metrics.csv"
MODEL_DIRECTORY = "model"


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What is to be trained.

    Attributes:
        hyperparameters: In AWS's names and texts.
        base_model_id: With its context suffix.
        seed: Of the random numbers.
    """

    hyperparameters: Mapping[str, str]
    base_model_id: str
    seed: int


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far the training has come.

    Attributes:
        step: The last step, counted from 1.
        steps: All steps, unless the training stops early.
        epoch: The last step's epoch, counted from 0.
        training_loss: The last step's loss, in nats per token.
        curve: (step, training loss) of each time that this was written.
        validations: (step, validation loss) at the end of each epoch so far.
    """

    step: int
    steps: int
    epoch: int
    training_loss: float
    curve: tuple[tuple[int, float], ...]
    validations: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How the training has ended.

    Attributes:
        training_loss: Of the kept model on the training records, in nats per token.
        validation_loss: The same on the validation records; None without them.
        stopped_epoch: After which epoch it stopped early, counted from 1; None if it did not.
        kept_epoch: The epoch whose model is kept, counted from 1.
    """

    training_loss: float
    validation_loss: float | None
    stopped_epoch: int | None
    kept_epoch: int


FILES: Mapping[type, str] = {
    TrainingJob: "job.json",
    TrainingProgress: "progress.json",
    TrainingResult: "result.json",
}
Value = TypeVar("Value", TrainingJob, TrainingProgress, TrainingResult)


def write(directory: Path, value: Value) -> None:
    """Write a value into its file."""
    write_whole(directory / FILES[type(value)], json.dumps(asdict(value)))


def read(directory: Path, value_type: type[Value]) -> Value:
    """Read a value from its file.

    Raises:
        FileNotFoundError: it has not been written.
        DataError: the file holds something else; the message names it and what is missing.
    """
    path = directory / FILES[value_type]
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), value_type)
    except (ValueError, msgspec.ValidationError) as error:
        raise DataError(f"{path} is no {value_type.__name__}: {error}.") from error


PROGRESS_SECONDS = 0.2  # between two writings of progress.json
BLAS_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "BLIS")


def run_training(workdir: Path, *, clock: Callable[[], float] = time.monotonic) -> "Training":
    """Train as `job.json` says and write the results beside it.

    Raises:
        HaikuftError: a file is missing or cannot be used; the message says which and how.
    """
    # These load NumPy, for which `main` prepares.
    from haikuft.sandbox.standin.model import Point, build_training_config, train

    job = read(workdir, TrainingJob)
    base_model = get_base_model(job.base_model_id)
    config = build_training_config(base_model, from_aws(job.hyperparameters, base_model))
    training = read_records(workdir / TRAINING_DATA, lenient=True)
    held_out = workdir / VALIDATION_DATA
    validation = read_records(held_out, lenient=True) if held_out.exists() else []
    steps_in_all = config.epoch_count * count_steps(len(training), config.batch_size)
    written, curve, validations = clock(), list[Point](), list[Point]()

    def report(point: Point) -> None:
        nonlocal written
        if point.step == 1 or clock() - written >= PROGRESS_SECONDS:
            written = clock()
            curve.append(point)
            _write_progress(workdir, curve, validations, steps_in_all)

    made = train(
        training,
        validation,
        config,
        seed=job.seed,
        on_step=report,
        on_validation=validations.append,
    )
    _write_progress(workdir, [*curve, made.steps[-1]], validations, steps_in_all)
    made.model.save(workdir / MODEL_DIRECTORY)
    _write_metrics(workdir / TRAINING_METRICS, "training_loss", made.steps)
    if validation:
        _write_metrics(workdir / VALIDATION_METRICS, "validation_loss", made.validations)
    result = TrainingResult(
        training_loss=made.loss,
        validation_loss=made.validations[made.kept_epoch - 1].loss if validation else None,
        stopped_epoch=made.early_stop.stopped_epoch if made.early_stop else None,
        kept_epoch=made.kept_epoch,
    )
    write(workdir, result)
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
    atexit.register(gc.freeze)  # the end of the process frees all memory without a search
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


def _write_progress(
    workdir: Path, curve: "Sequence[Point]", validations: "Sequence[Point]", steps: int
) -> None:
    last = curve[-1]
    points, of_epochs = (
        tuple((point.step, point.loss) for point in line) for line in (curve, validations)
    )
    write(workdir, TrainingProgress(last.step, steps, last.epoch, last.loss, points, of_epochs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
