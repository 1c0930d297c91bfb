"""The training child: its files, its errors, and its end when the parent goes."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from haikuft.base_models import DEFAULT, NOVA_MICRO
from haikuft.dataset import validate_file
from haikuft.dataset.formats import to_training
from haikuft.dataset.problems import load_rules
from haikuft.errors import DataError, SettingsError
from haikuft.sandbox.jobs.files import check_records
from haikuft.sandbox.standin.model import StandIn
from haikuft.sandbox.standin.training import FILES, TrainingProgress, exit_with, run_training

COMMAND = [sys.executable, "-m", "haikuft.sandbox.standin.training"]
WORDS = {
    "cold": "frost ice snow winter",
    "hot": "sun fire summer oven",
    "wet": "rain sea river dew",
}


def make_records(count: int, *, first: int = 0, length: int = 1) -> list[dict[str, Any]]:
    """Two words of each topic; `length` repeats the reply to make training slow."""
    records = []
    for number in range(first, first + count):
        label = tuple(WORDS)[number % 3]
        one, two = (WORDS[label].split()[(number // 3 + n) % 4] for n in (0, 1))
        messages = [
            {"role": "user", "content": f"the {one} and the {two}, {number}"},
            {"role": "assistant", "content": " ".join([label] * length)},
        ]
        records.append({"messages": messages})
    return records


def make_work(
    directory: Path,
    *,
    training: list[dict[str, Any]],
    validation: list[dict[str, Any]] | None = None,
    **hyperparameters: str,
) -> Path:
    """A working directory as the server makes it."""
    directory.mkdir(parents=True, exist_ok=True)
    job = {"hyperparameters": hyperparameters, "base_model_id": "", "seed": 3}
    (directory / "job.json").write_text(json.dumps(job), encoding="utf-8")
    for name, records in (("training", training), ("validation", validation)):
        if records is not None:
            lines = "".join(json.dumps(record) + "\n" for record in records)
            (directory / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return directory


@contextmanager
def child_at(work: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The child as the server starts it: standard input is a pipe that stays open."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    given = {"env": os.environ | environment, "text": True, **streams}
    with subprocess.Popen([*COMMAND, str(work)], **given) as child:  # type: ignore[call-overload]
        try:
            yield child
        finally:
            child.kill()


def wait_for_file(child: subprocess.Popen[str], path: Path) -> None:
    """Wait until the child has made the file."""
    while not path.exists():
        try:
            child.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the child ended before it wrote {path.name}")


def read_csv(path: Path) -> list[list[str]]:
    """The rows of a metric file, header first."""
    return [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]


def make_three_epochs(directory: Path) -> Path:
    """A job of three epochs, with validation."""
    return make_work(
        directory,
        training=make_records(30),
        validation=make_records(9, first=30),
        epochCount="3",
        batchSize="8",
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a real child leaves."""
    work = make_three_epochs(tmp_path_factory.mktemp("work"))
    with child_at(work) as child:
        assert child.wait(60) == 0, child.stderr and child.stderr.read()
    return work


def test_child_when_done_then_the_metric_files_have_awss_columns_and_counting(
    finished: Path,
) -> None:
    """Steps from 1, epochs from 0; the validation rows stand at each epoch's last step."""
    steps = read_csv(finished / "step_wise_training_metrics.csv")
    assert steps[0] == ["step_number", "epoch_number", "training_loss"]
    assert [row[:2] for row in steps[1:]] == [[str(n + 1), str(n // 4)] for n in range(12)]
    epochs = read_csv(finished / "validation_metrics.csv")
    assert epochs[0] == ["step_number", "epoch_number", "validation_loss"]
    assert [row[:2] for row in epochs[1:]] == [["4", "0"], ["8", "1"], ["12", "2"]]


def test_child_when_done_then_losses_in_the_files_are_those_of_the_saved_model(
    finished: Path,
) -> None:
    """Recomputed from the model and the records, they are the same."""
    model = StandIn.load(finished / "model")
    result = json.loads((finished / "result.json").read_text(encoding="utf-8"))
    kept = read_csv(finished / "validation_metrics.csv")[result["kept_epoch"]]
    held_out = model.loss(make_records(9, first=30))
    assert float(kept[2]) == pytest.approx(held_out, rel=1e-4)
    assert result["validation_loss"] == pytest.approx(held_out, rel=1e-4)
    assert result["training_loss"] == pytest.approx(model.loss(make_records(30)), rel=1e-4)


def test_child_when_done_then_progress_is_complete_and_no_half_file_is_left(
    finished: Path,
) -> None:
    """The last progress names the last step, and temporary files are gone."""
    progress = json.loads((finished / "progress.json").read_text(encoding="utf-8"))
    assert (progress["step"], progress["steps"], progress["epoch"]) == (12, 12, 2)
    assert [progress["curve"][at][0] for at in (0, -1)] == [1, 12]
    assert progress["curve"][-1][1] == progress["training_loss"]
    told = [(step, pytest.approx(loss, rel=1e-4)) for step, loss in progress["validations"]]
    rows = read_csv(finished / "validation_metrics.csv")[1:]
    assert [(int(step), float(loss)) for step, _, loss in rows] == told
    assert {path.name for path in finished.iterdir()} == {
        *("job.json", "training.jsonl", "validation.jsonl", "progress.json", "result.json"),
        *("step_wise_training_metrics.csv", "validation_metrics.csv", "model"),
    }


def test_child_when_run_again_then_every_file_has_the_same_bytes(
    finished: Path, tmp_path: Path
) -> None:
    """Same seed, same data: same files. How often progress was written depends on the clock."""
    work = make_three_epochs(tmp_path)
    with child_at(work) as child:
        assert child.wait(60) == 0
    for path in (path for path in finished.rglob("*") if path.is_file()):
        if path.name == FILES[TrainingProgress]:
            continue
        assert (work / path.relative_to(finished)).read_bytes() == path.read_bytes(), path.name


def test_child_when_replies_are_open_ended_then_the_model_has_the_same_bytes_again(
    tmp_path: Path,
) -> None:
    """Its vocabulary does not hang on the order of sets, which differs from process to process."""
    records = make_records(20)
    for number, record in enumerate(records):
        record["messages"][1]["content"] = f"zu{number}bar of the {number}th"
    models = []
    for seed in ("1", "2"):
        work = make_work(tmp_path / seed, training=records, epochCount="2", batchSize="4")
        with child_at(work, PYTHONHASHSEED=seed) as child:
            assert child.wait(60) == 0, child.stderr and child.stderr.read()
        models.append((work / "model" / "model.npz").read_bytes())
    assert models[0] == models[1]


def test_child_when_the_processor_is_another_then_losses_agree_to_three_digits(
    finished: Path, tmp_path: Path
) -> None:
    """NumPy and its BLAS add in the order of an old processor when variables say so."""
    work = make_three_epochs(tmp_path)
    older = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}
    with child_at(work, **older) as child:
        assert child.wait(60) == 0, child.stderr and child.stderr.read()
    for name in ("step_wise_training_metrics.csv", "validation_metrics.csv"):
        here, there = (
            [float(row[2]) for row in read_csv(folder / name)[1:]] for folder in (finished, work)
        )
        assert there == pytest.approx(here, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("job.json", "{", "is no TrainingJob"),
        ("job.json", "[]", "is no TrainingJob"),
        ("training.jsonl", "", "no training records"),
        ("training.jsonl", "not json\n", "training.jsonl, line 1"),
    ],
)
def test_child_when_a_file_is_bad_then_says_so_without_a_traceback(
    tmp_path: Path, name: str, content: str, expected: str
) -> None:
    """One line on stderr, exit code 1, and no result."""
    work = make_work(tmp_path, training=make_records(6))
    (work / name).write_text(content, encoding="utf-8")
    with child_at(work) as child:
        assert child.wait(60) == 1
        said = child.stderr.read() if child.stderr else ""
    assert expected in said
    assert "Traceback" not in said
    assert not (work / "result.json").exists()


def test_child_when_called_without_a_directory_then_shows_its_usage() -> None:
    """It takes one argument."""
    called = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert called.returncode == 1
    assert "usage" in called.stderr


def test_child_when_its_parent_closes_the_pipe_then_ends_at_once(tmp_path: Path) -> None:
    """In the midst of training, without a result."""
    work = make_work(tmp_path, training=make_records(400, length=200), epochCount="10")
    with child_at(work) as child:
        wait_for_file(child, work / "progress.json")
        assert child.stdin
        child.stdin.close()
        assert child.wait(10) == 1
    assert not (work / "result.json").exists()


def test_child_when_its_parent_is_killed_then_ends_too(tmp_path: Path) -> None:
    """The pipe closes with the parent, however it goes."""
    work = make_work(tmp_path, training=make_records(400, length=200), epochCount="10")
    parent = "import subprocess, sys\nsubprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE).wait()"
    with subprocess.Popen(
        [sys.executable, "-c", parent, *COMMAND, str(work)], stdout=subprocess.PIPE, text=True
    ) as started:
        wait_for_file(started, work / "progress.json")
        started.kill()
        assert started.stdout
        assert started.stdout.read() == ""  # ends when the child, who has it too, has ended
    assert not (work / "result.json").exists()


def test_end_with_when_the_stream_ends_then_leaves() -> None:
    """What is written to the stream does not matter, its end does."""
    codes: list[int] = []
    exit_with(io.BytesIO(b"anything"), leave=codes.append).join(10)
    assert codes == [1]


def test_run_training_when_there_is_no_validation_file_then_there_is_no_validation_loss(
    tmp_path: Path,
) -> None:
    """And no file of it; the last epoch is kept."""
    work = make_work(tmp_path, training=make_records(12), epochCount="2", batchSize="4")
    run_training(work)
    result = json.loads((work / "result.json").read_text(encoding="utf-8"))
    assert result["validation_loss"] is None
    assert result["stopped_epoch"] is None
    assert result["kept_epoch"] == 2
    assert not (work / "validation_metrics.csv").exists()


def test_run_training_when_early_stopping_acts_then_the_result_names_both_epochs(
    tmp_path: Path,
) -> None:
    """Records without sense over-fit at once."""
    records = make_records(24)
    replies = [record["messages"][1] for record in records]
    for record, reply in zip(records, replies[5:] + replies[:5], strict=True):
        record["messages"][1] = reply
    given = {"epochCount": "10", "batchSize": "4", "earlyStoppingPatience": "1"}
    work = make_work(tmp_path, training=records, validation=make_records(9, first=24), **given)
    run_training(work)
    result = json.loads((work / "result.json").read_text(encoding="utf-8"))
    assert result["stopped_epoch"] == result["kept_epoch"] + 1 < 10
    assert len(read_csv(work / "validation_metrics.csv")) == result["stopped_epoch"] + 1


def test_run_training_when_the_clock_moves_then_progress_is_written_on_the_way(
    tmp_path: Path,
) -> None:
    """The first step is written at once, later ones when enough time has passed."""
    work = make_work(tmp_path, training=make_records(12), epochCount="1", batchSize="4")
    seen = []

    def clock() -> float:
        path = work / "progress.json"
        seen.append(json.loads(path.read_text(encoding="utf-8"))["step"] if path.exists() else 0)
        return float(len(seen))

    run_training(work, clock=clock)
    assert sorted(set(seen)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "error", "expected"),
    [
        ({"hyperparameters": {"epochCount": "99"}}, SettingsError, "epochCount"),
        ({"base_model_id": "unknown"}, SettingsError, "unknown"),
        ({"hyperparameters": None}, DataError, "is no TrainingJob"),
    ],
)
def test_run_training_when_the_job_cannot_be_used_then_the_message_names_what(
    tmp_path: Path, changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    """Ranges and names are checked again here."""
    work = make_work(tmp_path, training=make_records(6))
    job = json.loads((work / "job.json").read_text(encoding="utf-8")) | changes
    if job["hyperparameters"] is None:
        del job["hyperparameters"]
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    with pytest.raises(error, match=expected):
        run_training(work)


def as_conversation(record: dict[str, Any]) -> dict[str, Any]:
    """Write a record as Amazon's own models have it."""
    return to_training(record, NOVA_MICRO)


def test_training_when_the_files_are_conversations_then_it_is_the_same_training(
    tmp_path: Path,
) -> None:
    """What a model learns depends on the texts and not on the form they are kept in."""
    trained = []
    for name, write in (("plain", dict), ("blocks", as_conversation)):
        work = make_work(
            tmp_path / name,
            training=[write(record) for record in make_records(40)],
            validation=[write(record) for record in make_records(32, first=40)],
            epochCount="2",
        )
        run_training(work)
        trained.append((work / "step_wise_training_metrics.csv").read_text())
        trained.append((work / "validation_metrics.csv").read_text())
    assert trained[:2] == trained[2:]


BLOCKS = {
    "unknown-key": '{"id": 7, "messages": [%s, %s]}',
    "null-system": '{"system": null, "messages": [%s, %s]}',
    "empty-system": '{"system": [], "messages": [%s, %s]}',
    "several-texts": '{"system": [{"text": "a"}, {"text": "b"}], "messages": [%s, %s]}',
}


@pytest.mark.parametrize("code", BLOCKS)
def test_conversation_when_only_stricter_rules_are_against_it_then_it_is_trained_on(
    code: str, tmp_path: Path
) -> None:
    """For Amazon's own models, too, the sandbox takes what AWS takes."""
    records = [as_conversation(record) for record in make_records(41)]
    work = make_work(tmp_path / "work", training=records[:40], epochCount="1")
    path = work / "training.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(BLOCKS[code] % tuple(map(json.dumps, records[40]["messages"])) + "\n")

    assert code in validate_file(path, NOVA_MICRO).counts
    assert validate_file(path, NOVA_MICRO).ok == (load_rules()[code].severity == "warning")
    assert check_records(path, NOVA_MICRO, kind="training", uri="s3://data/t.jsonl").records == 41
    assert run_training(work).steps


STRICTER = {
    "unknown-key": '{"id": 7, "messages": [%s, %s]}',
    "double-key": '{"messages": [], "messages": [%s, %s]}',
    "null-system": '{"system": null, "messages": [%s, %s]}',
    "empty-system": '{"system": "", "messages": [%s, %s]}',
    "invisible-text": '{"system": " ", "messages": [%s, %s]}',
    "nul": '{"system": "a\\u0000b", "messages": [%s, %s]}',
    "carriage-return": '{"messages": [%s,\r%s]}',
}


@pytest.mark.parametrize("code", STRICTER)
def test_record_when_only_our_own_rules_are_against_it_then_it_is_trained_on(
    code: str, tmp_path: Path
) -> None:
    """The sandbox is as strict as Bedrock; our own checks are stricter, or warn."""
    work = make_work(tmp_path / "work", training=make_records(40), epochCount="1")
    path = work / "training.jsonl"
    turns = map(json.dumps, make_records(1, first=40)[0]["messages"])
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(STRICTER[code] % tuple(turns) + "\n")

    assert validate_file(path).counts == {code: 1, "few-records": 1}
    assert validate_file(path).ok == (load_rules()[code].severity == "warning")
    assert check_records(path, DEFAULT, kind="training", uri="s3://data/train.jsonl").records == 41
    assert run_training(work).steps
