"""The contract between the server and the training process: the files in a job's directory.

The server writes `job.json`, the data files, and starts the process there. The process writes
`progress.json` while it trains, at the end the metric files and the model, and last of all
`result.json`. Each JSON file is one of the values below, written completely or not at all.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from haikuft.errors import DataError
from haikuft.files import write_whole

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
    """

    step: int
    steps: int
    epoch: int
    training_loss: float
    curve: tuple[tuple[int, float], ...]


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
