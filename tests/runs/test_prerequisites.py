"""What a notebook needs from those before it, asked of AWS."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from haikuft.errors import NotFoundError, SettingsError
from haikuft.runs.prerequisites import require
from haikuft.runs.run_record import Run

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]


def test_require_when_all_is_there_names_what_was_found(new_run: NewRun, set_up: SetUp) -> None:
    """The page shows it as a table."""
    run = set_up(new_run())
    assert require(run, "bucket", "role", "data").rows == (
        ("bucket", run.record.bucket),
        ("role", run.record.role_name),
        ("data", "training/train.jsonl, validation/validation.jsonl"),
    )


@pytest.mark.parametrize(
    ("kind", "notebook"),
    [
        ("bucket", "01_setup_iam"),
        ("role", "01_setup_iam"),
        ("data", "02_prepare_data"),
        ("test file", "02_prepare_data"),
        ("job", "03_fine_tune"),
        ("custom model", "03_fine_tune"),
        ("served model", "05_provision"),
    ],
)
def test_require_when_nothing_was_made_names_the_notebook_that_makes_it(
    new_run: NewRun, kind: str, notebook: str
) -> None:
    """Each missing thing has a maker."""
    with pytest.raises(NotFoundError, match=f"the {kind} .* Run notebook {notebook}"):
        require(new_run(), kind)


def test_require_when_several_are_missing_names_the_earliest_notebook(new_run: NewRun) -> None:
    """The later ones need the earlier."""
    with pytest.raises(NotFoundError, match=r"the served model and the bucket .* 01_setup_iam"):
        require(new_run(), "served model", "bucket")


def test_require_when_the_record_names_what_is_gone_says_so(new_run: NewRun, set_up: SetUp) -> None:
    """A sandbox that was reset, or somebody who deleted an object."""
    run = set_up(new_run())
    run.connection.client("s3").delete_object(Bucket=run.record.bucket, Key="training/train.jsonl")
    with pytest.raises(NotFoundError, match="gone since"):
        require(run, "data")
    gone = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghij12"
    with pytest.raises(NotFoundError, match="05_provision"):
        require(replace(run, record=replace(run.record, throughput_arn=gone)), "served model")


def test_require_when_asked_for_an_unknown_kind_says_which_there_are(new_run: NewRun) -> None:
    """A slip in a notebook."""
    with pytest.raises(SettingsError, match="bucket, role, data"):
        require(new_run(), "coffee")


def test_require_when_the_sandbox_is_new_then_it_says_so_once_with_one_command(
    new_run: NewRun,
) -> None:
    """Not notebook 6 that sends to 5, and 5 to 3, and 3 to 1."""
    run = new_run()
    name, arn = "haikuft-gone", "arn:aws:bedrock:us-west-2:123456789012"
    record = replace(
        run.record,
        dataset="support_tickets",
        bucket=f"{name}-123456789012-us-west-2",
        role_name=name,
        job_arn=f"{arn}:model-customization-job/anthropic.claude-3-haiku-20240307-v1:0:200k/abcdefghij12",
        custom_model_arn=f"{arn}:custom-model/anthropic.claude-3-haiku-20240307-v1:0:200k/abcdefghij12",
    )
    for kinds in (("served model",), ("role", "data"), ("job",)):
        with pytest.raises(NotFoundError, match="This sandbox is new") as caught:
            require(replace(run, record=record), *kinds)
        again = f"haikuft run --run {run.record.run} --dataset support_tickets --no-clean-up"
        assert str(caught.value).endswith(again)
