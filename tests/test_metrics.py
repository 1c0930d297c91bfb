"""The metric files are found wherever they lie, read by header, and judged by their numbers."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import pandas as pd
import pytest
from moto import mock_aws
from mypy_boto3_s3 import S3Client

from haikuft.base_models import NOVA_MICRO
from haikuft.errors import DataError, NotFoundError, SettingsError
from haikuft.hyperparameters import (
    WORKED_EXAMPLE,
    EarlyStop,
    build_hyperparameters,
    decide_early_stop,
)
from haikuft.metrics import (
    align_epochs,
    assess,
    download_metrics,
    find_metrics,
    map_validation_losses,
    read_runs,
    read_stop_rule,
    replay_early_stop,
    write_assessment,
)
from haikuft.metrics.assessment import Assessment
from haikuft.metrics.files import read_metrics
from haikuft.plots import plot_losses
from haikuft.plots.style import alt_text

JOB_ARN = "arn:aws:bedrock:us-west-2:123456789012:model-customization-job/base/abcdefghijkl"
FOLDER = "model-customization-job-abcdefghijkl"
TRAINING = "training_artifacts/step_wise_training_metrics.csv"
DEEP = "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv"
SHALLOW = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    """Give an in-process S3 with the bucket `tickets`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="tickets")
        yield client


def _put(s3: S3Client, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="tickets", Key=key, Body=b"x")


def _training(*by_epoch: Sequence[float]) -> pd.DataFrame:
    """Make a table of training losses, one sequence an epoch."""
    rows = [(epoch, loss) for epoch, losses in enumerate(by_epoch, 1) for loss in losses]
    table = pd.DataFrame(rows, columns=["epoch_number", "loss"])
    return table.assign(step_number=range(1, len(rows) + 1))


def _validation(*losses: float) -> pd.DataFrame:
    epochs = range(1, len(losses) + 1)
    return pd.DataFrame({"step_number": epochs, "epoch_number": epochs, "loss": losses})


FALLING = _training([0.9, 0.8], [0.7, 0.6], [0.5, 0.4], [0.3, 0.2])


@pytest.mark.parametrize("base", ["output/first", "output/first/"])
@pytest.mark.parametrize("validation", [DEEP, SHALLOW])
def test_find_metrics_when_the_folder_is_one_deeper_or_not_then_both_are_found(
    s3: S3Client, base: str, validation: str
) -> None:
    """Documentation and real jobs differ by a folder; a slash at the end doubles nothing."""
    _put(s3, f"output/first/{FOLDER}/{TRAINING}", f"output/first/{FOLDER}/{validation}")

    files = find_metrics(s3, f"s3://tickets/{base}", JOB_ARN)

    assert files.training_uri == f"s3://tickets/output/first/{FOLDER}/{TRAINING}"
    assert files.validation_uri == f"s3://tickets/output/first/{FOLDER}/{validation}"


def test_find_metrics_when_there_was_no_validation_file_then_its_uri_is_none(s3: S3Client) -> None:
    """Absence is a value here, which the assessment puts into words."""
    _put(s3, f"output/{FOLDER}/{TRAINING}")

    assert find_metrics(s3, "s3://tickets/output", JOB_ARN).validation_uri is None


def test_find_metrics_when_only_another_job_wrote_below_the_prefix_then_it_is_passed_over(
    s3: S3Client,
) -> None:
    """One output prefix may serve many jobs; of ours there is nothing yet, and why is told."""
    _put(s3, f"output/model-customization-job-zzz/{TRAINING}", f"output/{FOLDER}/{DEEP}")

    with pytest.raises(NotFoundError, match=r"No step_wise.* when it completes.*notebook 3"):
        find_metrics(s3, "s3://tickets/output", JOB_ARN)


def test_download_metrics_when_there_is_a_file_then_a_copy_is_kept_and_read(
    s3: S3Client, tmp_path: Path
) -> None:
    """The run's folder keeps what AWS may delete."""
    text = b"step_number,epoch_number,training_loss\n1,0,1.5\n"
    s3.put_object(Bucket="tickets", Key=f"output/{TRAINING}", Body=text)

    table = download_metrics(s3, f"s3://tickets/output/{TRAINING}", tmp_path / "metrics")

    assert table is not None
    assert table["loss"].tolist() == [1.5]
    assert (tmp_path / "metrics" / "step_wise_training_metrics.csv").read_bytes() == text


def test_read_runs_when_other_runs_keep_their_losses_then_both_tables_are_read(
    tmp_path: Path,
) -> None:
    """A run without a validation file has one table; a run without losses is named."""
    head = "step_number,epoch_number"
    for run in ("with", "without"):
        folder = tmp_path / run / "metrics"
        folder.mkdir(parents=True)
        (folder / Path(TRAINING).name).write_text(f"{head},training_loss\n1,0,2.5\n")
    (tmp_path / "with/metrics" / Path(DEEP).name).write_text(f"{head},validation_loss\n1,0,3\n")

    found = read_runs(tmp_path, ["with", "without"])

    assert [training["loss"].tolist() for training, _ in found.values()] == [[2.5], [2.5]]
    assert found["with"][1]["loss"].tolist() == [3.0]  # type: ignore[index]
    assert found["without"][1] is None
    with pytest.raises(NotFoundError, match='Run "nobody" has no losses'):
        read_runs(tmp_path, ["nobody"])


def test_download_metrics_when_there_was_no_validation_file_then_there_is_no_table(
    s3: S3Client, tmp_path: Path
) -> None:
    """None in, None out."""
    assert download_metrics(s3, None, tmp_path) is None


def test_find_metrics_when_the_folder_has_the_jobs_name_then_it_is_found_too(s3: S3Client) -> None:
    """The user guide speaks of the job's name in one place and of its id in another."""
    _put(s3, f"output/my-job/{TRAINING}")

    files = find_metrics(s3, "s3://tickets/output", JOB_ARN)

    assert files.training_uri == f"s3://tickets/output/my-job/{TRAINING}"


def test_find_metrics_when_both_folders_exist_then_the_jobs_own_wins(s3: S3Client) -> None:
    """The id says more than a folder that merely lies near."""
    _put(s3, f"output/{FOLDER}/{TRAINING}", f"output/older-name/{TRAINING}")

    files = find_metrics(s3, "s3://tickets/output", JOB_ARN)

    assert files.training_uri == f"s3://tickets/output/{FOLDER}/{TRAINING}"


def test_find_metrics_when_the_bucket_is_gone_then_the_error_is_ours(s3: S3Client) -> None:
    """AWS's refusal says how to fix it."""
    with pytest.raises(NotFoundError, match="s3://gone/output"):
        find_metrics(s3, "s3://gone/output", JOB_ARN)


@pytest.mark.parametrize("uri", ["tickets/output", "s3://", "https://tickets/output"])
def test_find_metrics_when_the_uri_is_none_then_it_is_refused(s3: S3Client, uri: str) -> None:
    """Only s3://bucket/prefix will do."""
    with pytest.raises(SettingsError, match="no S3 URI"):
        find_metrics(s3, uri, JOB_ARN)


def test_read_metrics_when_the_file_is_as_real_jobs_write_it_then_epochs_count_from_one() -> None:
    """Steps stay as they are; the file's first epoch is 0."""
    table = read_metrics("step_number,epoch_number,training_loss\n1,0,1.5\n2,1,0.5\n")

    assert table.to_dict("list") == {
        "step_number": [1, 2],
        "epoch_number": [1, 2],
        "loss": [1.5, 0.5],
    }


def test_read_metrics_when_the_file_is_as_documented_then_perplexity_does_no_harm() -> None:
    """Columns are found by name, in any order; epochs that start at 1 stay."""
    table = read_metrics(
        "\ufeffPerplexity, Validation_Loss ,epoch_number,step_number\r\n2.7,1.0,1,4\r\n\r\n"
    )

    assert table.to_dict("records") == [{"step_number": 4, "epoch_number": 1, "loss": 1.0}]


def test_read_metrics_when_a_loss_is_not_finite_then_it_stays() -> None:
    """A diverged training is a result, not a broken file."""
    table = read_metrics("step_number,epoch_number,training_loss\n1,0,inf\n2,0,NaN\n")

    assert math.isinf(table["loss"][0])
    assert math.isnan(table["loss"][1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("step_number,epoch_number,training_loss\n", "a header and no rows"),
        ("step_number,epoch_number\n1,0\n", "no column training_loss or validation_loss"),
        ("epoch_number,training_loss\n0,1.0\n", "no column step_number"),
        ("step_number,epoch_number,a_loss,b_loss\n1,0,1,1\n", "two loss columns"),
        ("step_number,epoch_number,training_loss\n1,0,1\n2,0,much\n", 'line 3: .*"much"'),
        ("step_number,epoch_number,training_loss\n1,0\n", 'line 2: training_loss is ""'),
        ("step_number,epoch_number,training_loss\n1,0.5,1\n", "line 2: epoch_number is 0.5"),
        ("<Error><Code>AccessDenied</Code></Error>", "no column step_number"),
    ],
)
def test_read_metrics_when_the_file_is_broken_then_it_says_where(text: str, said: str) -> None:
    """Every fault names the file, and the line where there is one."""
    with pytest.raises(DataError, match=f"train.csv.*{said}"):
        read_metrics(text, source="train.csv")


def test_replay_early_stop_when_there_are_losses_then_it_is_the_jobs_own_rule() -> None:
    """Threshold and patience are those of the job's hyperparameters."""
    strict = read_stop_rule(
        build_hyperparameters(early_stopping_threshold=0.05, early_stopping_patience=1)
    )

    assert not strict.simulated
    assert replay_early_stop(_validation(*WORKED_EXAMPLE), strict) == EarlyStop(4, 4, 0.66)
    assert replay_early_stop(None, strict) is None
    assert map_validation_losses(None) == {}


def test_read_stop_rule_when_the_model_has_none_then_the_lesson_s_is_simulated() -> None:
    """A model without early stopping still shows how it would act, and that it did not."""
    rule = read_stop_rule(build_hyperparameters(NOVA_MICRO))

    assert rule.simulated
    assert "no early stopping" in str(rule)
    assert replay_early_stop(_validation(*WORKED_EXAMPLE), rule) == EarlyStop(7, 5, 0.64)


def test_write_assessment_when_read_back_then_it_holds_verdict_and_sentence(tmp_path: Path) -> None:
    """The report reads it."""
    path = write_assessment(
        tmp_path / "run", Assessment("stopped well", "It stopped well: größer.")
    )

    assert path == tmp_path / "run" / "assessment.json"
    assert json.loads(path.read_text("utf-8")) == {
        "verdict": "stopped well",
        "sentence": "It stopped well: größer.",
    }


def test_assess_when_validation_rises_then_it_over_fitted() -> None:
    """The sentence names the best epoch, the rise, and the training loss that kept falling."""
    found = assess(FALLING, _validation(0.9, 0.6, 0.7, 0.9))

    assert found.verdict == "overfitted"
    assert found.sentence == (
        "The validation loss was lowest after epoch 2 (0.6) and rose by 50.0% to 0.9 by epoch 4, "
        "while the training loss kept falling from 0.65 to 0.25: the model overfitted. "
        "Try epoch_count = 2, or more varied records."
    )


def test_assess_when_validation_still_falls_then_more_epochs_may_help() -> None:
    """The last epoch's fall is in the sentence."""
    found = assess(FALLING, _validation(0.9, 0.8, 0.7, 0.6))

    assert found.verdict == "still falling"
    assert "fell by 14.3% in the last epoch, to 0.6. More epochs may help." in found.sentence


@pytest.mark.parametrize("losses", [(0.9, 0.6, 0.55, 0.549), (0.9, 0.6, 0.55, 0.555)])
def test_assess_when_validation_has_flattened_then_it_stopped_well(losses: tuple[float]) -> None:
    """Neither a fall nor a rise worth the name."""
    assert assess(FALLING, _validation(*losses)).verdict == "stopped well"


def test_assess_when_early_stopping_cut_a_rise_short_then_it_stopped_well() -> None:
    """It says how far the loss had risen, and what AWS leaves open."""
    found = assess(FALLING, _validation(0.9, 0.6, 0.7, 0.8), EarlyStop(4, 2, 0.6))

    assert found.verdict == "stopped well"
    assert "risen by 33.3% when early stopping ended the training after epoch 4" in found.sentence


def test_assess_when_early_stopping_came_too_early_then_it_says_which_knobs_to_turn() -> None:
    """The strict row of the worked example stops while the loss still falls."""
    losses = WORKED_EXAMPLE[:4]
    stop = decide_early_stop(losses, threshold=0.05, patience=1)

    found = assess(FALLING, _validation(*losses), stop)

    assert found.verdict == "still falling"
    assert "early_stopping_threshold" in found.sentence


def test_assess_when_the_lenient_row_of_the_worked_example_ran_out_then_it_stopped_well() -> None:
    """Seven epochs, the fifth the lowest."""
    stop = decide_early_stop(WORKED_EXAMPLE, threshold=0.0, patience=2)
    training = _training(*([loss] for loss in (0.9, 0.7, 0.5, 0.4, 0.3, 0.25, 0.2)))

    found = assess(training, _validation(*WORKED_EXAMPLE), stop)

    assert found.verdict == "stopped well"
    assert "lowest after epoch 5 (0.64)" in found.sentence
    assert "after epoch 7" in found.sentence


def test_assess_when_the_job_ran_past_our_rule_then_it_says_so() -> None:
    """AWS documents no rule, so a difference is worth telling."""
    found = assess(FALLING, _validation(0.9, 0.8, 0.7, 0.6), EarlyStop(2, 2, 0.8))

    assert "rule, the job would have stopped after epoch 2; it ran 4" in found.sentence


def test_assess_when_there_is_no_validation_file_then_it_says_so_plainly() -> None:
    """Training loss alone cannot show overfitting."""
    found = assess(FALLING)

    assert found.verdict == "unknown"
    assert found.sentence.startswith("There was no validation file, so overfitting cannot be seen")
    assert "from 0.85 to 0.25" in found.sentence


def test_assess_when_there_was_one_epoch_then_one_point_has_no_direction() -> None:
    """It asks for two."""
    found = assess(_training([0.9, 0.8, 0.7]), _validation(0.8))

    assert found.verdict == "unknown"
    assert "at least 2 epochs" in found.sentence


@pytest.mark.parametrize(
    "training",
    [
        _training([0.9, 1.0], [1.5, 2.0]),
        _training([0.9, 1.1, 1.3, 2.0]),
        _training([0.9, math.nan], [0.8, 0.7]),
    ],
)
def test_assess_when_the_training_loss_rose_or_burst_then_it_diverged(
    training: pd.DataFrame,
) -> None:
    """A reckless learning rate is named as the cause to look at first."""
    found = assess(training, _validation(0.9, 1.8), settings=build_hyperparameters())

    assert found.verdict == "diverged"
    assert "Lower learning_rate_multiplier and train again." in found.sentence


def test_assess_when_a_nova_job_diverged_then_the_advice_names_nova_s_parameters() -> None:
    """The case `nova_divergence_names_claudes_parameter`; with no settings none is named."""
    burst = read_metrics("step_number,epoch_number,training_loss\n1,0,0.3\n2,0,nan\n")

    of_nova = assess(burst, settings=build_hyperparameters(NOVA_MICRO)).sentence
    assert "Lower learning_rate, or raise learning_rate_warmup_steps, and train" in of_nova
    assert "Lower the learning rate and train again." in assess(burst).sentence


def test_assess_when_early_stopping_is_only_simulated_then_it_explains_no_end() -> None:
    """The case `nova_early_stop_claimed`: the job ran all its epochs, and overfitted."""
    training = _training(*([loss] for loss in (0.8, 0.5, 0.4, 0.35)))
    validation = _validation(0.50, 0.40, 0.44, 0.48)
    settings = build_hyperparameters(NOVA_MICRO, epoch_count=4)
    stop = replay_early_stop(validation, read_stop_rule(settings))

    found = assess(training, validation, stop, settings)

    assert (stop, stop is not None and stop.simulated) == (EarlyStop(None, 2, 0.40), True)
    assert found.verdict == "overfitted"
    assert "Try epoch_count = 2" in found.sentence
    assert "ended" not in found.sentence
    assert "stopped" not in found.sentence


def test_assess_when_a_simulated_rule_stops_where_the_job_ended_then_that_is_chance() -> None:
    """How many epochs were asked for is not known, and the rule is simulated all the same."""
    found = assess(FALLING, _validation(0.5, 0.4, 0.44, 0.48), EarlyStop(4, 2, 0.4, simulated=True))

    assert found.verdict == "overfitted"
    assert "ended the training" not in found.sentence


def test_assess_when_a_simulated_rule_would_have_stopped_before_then_it_is_told_as_such() -> None:
    """Never as what ended the job."""
    validation = _validation(0.50, 0.40, 0.44, 0.48, 0.52)
    settings = build_hyperparameters(NOVA_MICRO, epoch_count=5)
    stop = replay_early_stop(validation, read_stop_rule(settings))

    found = assess(_training(*([1 / n] for n in range(1, 6))), validation, stop, settings)

    assert "which this model has not, the job would have stopped after epoch 4; it ran 5." in (
        found.sentence
    )


def test_assess_when_the_rule_stops_at_the_last_epoch_asked_for_then_nothing_was_ended() -> None:
    """All epochs ran, also where the model can stop early."""
    losses = (0.9, 0.6, 0.7, 0.8)
    asked = {"early_stopping_patience": 2, "early_stopping_threshold": 0.0}

    validation = _validation(*losses)

    stop, earlier = (
        replay_early_stop(validation, read_stop_rule(asked | {"epoch_count": epochs}))
        for epochs in (4, 9)
    )
    found, longer = (assess(FALLING, validation, one, asked) for one in (stop, earlier))

    assert (stop, earlier) == (EarlyStop(None, 2, 0.6), EarlyStop(4, 2, 0.6))
    assert (found.verdict, longer.verdict) == ("overfitted", "stopped well")
    assert "ended" not in found.sentence
    assert "early stopping" not in alt_text(plot_losses(FALLING, validation, early_stop=stop))


@pytest.mark.parametrize(("losses", "epochs"), [((1.5, 1.45, 1.44), 3), ((1.5,), 1)])
def test_assess_when_training_is_near_0_and_validation_is_not_then_over_fitting_is_said(
    losses: tuple[float, ...], epochs: int
) -> None:
    """However flat the validation loss is, and after one epoch, too."""
    training = _training(*([1.0, 0.01] for _ in range(epochs - 1)), [0.06, 0.02])

    found = assess(training, _validation(*losses))

    assert found.verdict == "overfitted"
    assert f"The training loss is 0.04 in epoch {epochs}, near 0" in found.sentence


def test_assess_when_the_job_reports_the_kept_model_then_both_numbers_have_their_names() -> None:
    """The loss at the end is another one."""
    validation = _validation(0.9, 0.8, 0.848, 0.852)
    stop = EarlyStop(4, 2, 0.8)

    found = assess(FALLING, validation, stop, reported=0.8)

    assert "The job reports 0.8: the validation loss of the kept model (epoch 2)" in found.sentence
    assert "reports" not in assess(FALLING, validation, stop, reported=0.852).sentence
    risen = assess(FALLING, validation, reported=0.8)
    assert (risen.verdict, risen.card.tone) == ("overfitted, best epoch kept", "unclear")
    assert assess(FALLING, validation).card.tone == "bad"
    assert "reports" not in assess(FALLING, validation, stop).sentence


@pytest.mark.parametrize("first", [0, 1])
def test_assess_when_some_epochs_have_no_validation_loss_then_epochs_keep_their_numbers(
    first: int,
) -> None:
    """Whether the file counts from 0 is seen by its steps."""
    training = read_metrics(
        "step_number,epoch_number,training_loss\n"
        + "".join(f"{step},{first + (step - 1) // 10},{1 - step / 100}\n" for step in range(1, 61))
    )
    validation = read_metrics(
        "step_number,epoch_number,validation_loss\n"
        f"20,{first + 1},0.50\n40,{first + 3},0.40\n60,{first + 5},0.60\n"
    )

    aligned = align_epochs(training, validation)
    assert aligned is not None
    rule = read_stop_rule(build_hyperparameters(early_stopping_patience=1))

    assert aligned["epoch_number"].tolist() == [2, 4, 6]
    assert replay_early_stop(aligned, rule) == EarlyStop(6, 4, 0.4)
    assert "lowest after epoch 4 (0.4) and rose by 50.0% to 0.6 by epoch 6" in (
        assess(training, validation).sentence
    )


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ({2: 0.5, 4: 0.4}, "fell by 20.0% from epoch 2 to epoch 4, to 0.4"),
        ({1: 0.6, 2: 0.5}, "fell by 16.7% from epoch 1 to epoch 2, to 0.5"),
        ({3: 0.5, 4: 0.4}, "fell by 20.0% in the last epoch, to 0.4"),
        ({1: 0.4, 2: 0.5, 3: 0.402}, "lowest after epoch 1 (0.4); in epoch 3, of 4, it is 0.402"),
        ({3: 0.5}, "ran 4 epochs, and the file has one validation loss (0.5, of epoch 3)"),
    ],
)
def test_assess_when_some_epochs_have_no_validation_loss_then_it_says_of_which_it_speaks(
    losses: dict[int, float], said: str
) -> None:
    """A fall over two epochs is none in the last, and the last loss is not that at the end."""
    validation = pd.DataFrame(
        {
            "step_number": [2 * n for n in losses],
            "epoch_number": list(losses),
            "loss": [*losses.values()],
        }
    )

    assert said in assess(FALLING, validation).sentence
