"""The files by which the server and the training process talk."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import DataError
from haikuft.sandbox.standin.training import (
    FILES,
    TrainingJob,
    TrainingProgress,
    TrainingResult,
    read,
    write,
)

VALUES: list[Any] = [
    TrainingJob({"epochCount": "2"}, "anthropic.claude-3-haiku-20240307-v1:0:200k", 0),
    TrainingProgress(3, 9, 0, 1.5, ((1, 2.0), (3, 1.5))),
    TrainingResult(0.5, None, None, 2),
    TrainingResult(math.inf, 0.75, 1, 1),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_value_when_read_again_then_is_the_one_that_was_written(tmp_path: Path, value: Any) -> None:
    """Also a loss that is not finite, and a value written over an older one."""
    (tmp_path / FILES[type(value)]).write_text("an older one")
    write(tmp_path, value)
    assert read(tmp_path, type(value)) == value
    assert [path.name for path in tmp_path.iterdir()] == [FILES[type(value)]]


def test_loss_when_it_is_no_number_then_comes_back_so(tmp_path: Path) -> None:
    """A reckless learning rate gives such losses."""
    write(tmp_path, TrainingResult(math.nan, None, None, 1))
    assert math.isnan(read(tmp_path, TrainingResult).training_loss)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "is no TrainingResult"),
        ("[]", "is no TrainingResult"),
        (json.dumps({"training_loss": 1.0}), "validation_loss"),
        (
            json.dumps(
                {
                    "training_loss": "low",
                    "validation_loss": None,
                    "stopped_epoch": None,
                    "kept_epoch": 1,
                }
            ),
            "training_loss",
        ),
    ],
)
def test_file_when_it_holds_something_else_then_says_what_is_wrong(
    tmp_path: Path, content: str, word: str
) -> None:
    """It names the file and the member."""
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(DataError, match=word) as caught:
        read(tmp_path, TrainingResult)
    assert str(tmp_path / "result.json") in str(caught.value)


def test_file_when_it_is_not_written_yet_then_is_not_found(tmp_path: Path) -> None:
    """The server asks for progress before there is any."""
    with pytest.raises(FileNotFoundError):
        read(tmp_path, TrainingProgress)
