"""Customization jobs: the request, the start, the wait and everything that can end it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from fakes import NOON, Scripted, Time, refusal

from haikuft import customization as c
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.customization.jobs import NEW_ROLE, explain_failure, find_job, wait_for_job
from haikuft.customization.models import delete_custom_model
from haikuft.customization.plan import build_job_request
from haikuft.customization.readings import CustomizationJob, Stage, describe_job
from haikuft.errors import (
    AccessError,
    ConflictError,
    CredentialsError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
    WaitTimeoutError,
)
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run

ARN = "arn:aws:bedrock:us-west-2:123456789012:model-customization-job/a.b-v1:0:200k/abcdefghijkl"
RESUME = "haikuft run --run first --from 3"
LOST = EndpointConnectionError(endpoint_url="https://bedrock.us-west-2.amazonaws.com")
NAME = "haikuft-first-012345-1"
RUN = Run(
    RunRecord(
        run="first",
        target="sandbox",
        owner="0123456789abcdef",
        bucket="bucket",
        base_model_id=CLAUDE_3_HAIKU.id,
        role_arn="arn:aws:iam::123456789012:role/AmazonBedrock-haikuft-first",
        training_uri="s3://bucket/training/train.jsonl",
    ),
    cast(Any, None),
    CLAUDE_3_HAIKU,
    Path("runs/first"),
)


def reading(status: str, **changes: Any) -> dict[str, Any]:
    """Build an answer of GetModelCustomizationJob."""
    return {
        "jobArn": ARN,
        "jobName": "job-1",
        "outputModelName": "model-1",
        "roleArn": RUN.record.role_arn,
        "creationTime": NOON,
        "baseModelArn": "arn:aws:bedrock:us-west-2::foundation-model/a.b-v1:0:200k",
        "trainingDataConfig": {"s3Uri": RUN.record.training_uri},
        "validationDataConfig": {"validators": []},
        "outputDataConfig": {"s3Uri": f"s3://bucket/output/{NAME}/"},
        "status": status,
        **changes,
    }


def stages(**status: str) -> dict[str, Any]:
    """Build the part of an answer that tells the stages."""
    return {"statusDetails": {f"{name}Details": {"status": word} for name, word in status.items()}}


def wait(script: Scripted, time: Time, **options: Any) -> CustomizationJob:
    """Wait for the job as a notebook would, without losing a second."""
    client: Any = script
    return wait_for_job(client, ARN, time.waiting(resume=RESUME, **options))


def start(script: Scripted, time: Time) -> str:
    """Start a job without losing a second."""
    client: Any = script
    request = build_job_request(RUN, NAME, {"epochCount": "2"})
    return c.start_job(client, request, time.waiting(NEW_ROLE))


def test_build_job_request_when_plain_then_has_what_bedrock_requires() -> None:
    """Without validation data, key and VPC none of their members is sent."""
    request = build_job_request(RUN, NAME, {"epochCount": "2"})
    assert request["customizationType"] == "FINE_TUNING"
    assert request["trainingDataConfig"] == {"s3Uri": "s3://bucket/training/train.jsonl"}
    assert request["hyperParameters"] == {"epochCount": "2"}
    assert set(request) == {
        "jobName",
        "customModelName",
        "roleArn",
        "baseModelIdentifier",
        "customizationType",
        "trainingDataConfig",
        "outputDataConfig",
        "hyperParameters",
        "jobTags",
        "customModelTags",
    }


def test_build_job_request_when_all_is_given_then_botocore_accepts_it() -> None:
    """The nesting is AWS's own, as botocore's model checks it."""
    import botocore.session
    from botocore.validate import ParamValidator

    record = replace(
        RUN.record,
        validation_uri="s3://bucket/validation/validation.jsonl",
        kms_key_arn="arn:aws:kms:us-west-2:123456789012:key/k",
        subnet_ids=("subnet-1",),
        security_group_ids=("sg-1",),
    )
    request = build_job_request(replace(RUN, record=record), NAME, {"epochCount": "2"})
    model = botocore.session.get_session().get_service_model("bedrock")
    shape = model.operation_model("CreateModelCustomizationJob").input_shape
    assert not ParamValidator().validate(request, shape).has_errors()
    assert request["validationDataConfig"]["validators"] == [
        {"s3Uri": "s3://bucket/validation/validation.jsonl"}
    ]
    assert request["jobTags"] == request["customModelTags"]


TOO_NEW = refusal("ValidationException", "Could not assume provided IAM role.")


def test_start_job_when_role_is_new_then_tries_again_until_it_can_be_assumed() -> None:
    """A role made seconds ago needs a while, and no call can probe it."""
    time = Time()
    script = Scripted(TOO_NEW, TOO_NEW, TOO_NEW, {"jobArn": ARN})
    assert start(script, time) == ARN
    assert time.sleeps == [0.5, 1.0, 2.0]


def test_start_job_when_role_stays_unusable_then_says_so_within_a_minute() -> None:
    """Patience ends, with the role's name and the notebook that repairs it."""
    time = Time()
    with pytest.raises(AccessError, match=r"AmazonBedrock-haikuft-first.*notebook 1"):
        start(Scripted(TOO_NEW), time)
    assert 50 < time.seconds <= 60


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            refusal("ConflictException", "The job name is currently in use."),
            ConflictError,
            "finds it, or takes new names",
        ),
        (
            refusal("ValidationException", "The provided model identifier is invalid."),
            SettingsError,
            "notebook 1 lists",
        ),
        (refusal("AccessDeniedException", "Not authorized."), AccessError, "administrator"),
        (refusal("ExpiredTokenException", "Expired."), CredentialsError, "aws sso login"),
        (LOST, HaikuftError, "network"),
    ],
)
def test_start_job_when_refused_then_explains_at_once(
    error: Exception, kind: type[HaikuftError], words: str
) -> None:
    """Only the role's trouble is worth another try."""
    script, time = Scripted(error), Time()
    with pytest.raises(kind, match=words):
        start(script, time)
    assert (len(script.calls), time.sleeps) == (1, [])


def test_get_job_when_complete_then_is_a_value_with_everything() -> None:
    """The answer's members become ours, losses as floats."""
    details = {"validationDetails": {"status": "Completed", "creationTime": NOON}}
    answer = reading(
        "Completed",
        endTime=NOON + timedelta(minutes=5),
        outputModelArn="arn:model",
        hyperParameters={"epochCount": "2"},
        statusDetails=details,
        trainingMetrics={"trainingLoss": 0.5},
        validationMetrics=[{"validationLoss": 0.75}],
    )
    client: Any = Scripted(answer)
    job = c.get_job(client, ARN)
    assert job.custom_model_arn == "arn:model"
    assert job.stages == (Stage("validation", "Completed", NOON, None),)
    assert (job.training_loss, job.validation_losses) == (0.5, (0.75,))
    assert job.elapsed(NOON + timedelta(days=1)) == 300
    assert job.stage == ""


def test_find_job_when_aws_knows_none_then_is_none() -> None:
    """What is gone is shown as gone, never a crash."""
    client: Any = Scripted(refusal("ResourceNotFoundException", "No such job.", 404))
    assert find_job(client, "job-1") is None
    with pytest.raises(NotFoundError, match="job-1"):
        c.get_job(client, "job-1")


def test_find_job_when_not_allowed_then_is_an_error() -> None:
    """Not being allowed to look does not mean that there is none."""
    client: Any = Scripted(refusal("AccessDeniedException", "No.", 403))
    with pytest.raises(AccessError):
        find_job(client, "job-1")


def test_describe_job_when_training_then_tells_stage_and_time() -> None:
    """One line for a progress display."""
    answer = reading("InProgress", **stages(validation="Completed", training="InProgress"))
    job = CustomizationJob.from_response(answer)
    assert describe_job(job, NOON + timedelta(seconds=3725)) == "InProgress · training · 1:02:05"
    done = CustomizationJob.from_response(reading("Completed", endTime=NOON + timedelta(seconds=9)))
    assert describe_job(done, NOON) == "Completed · 0:00:09"


def test_wait_for_job_when_stages_move_then_shows_each_change_once() -> None:
    """A line for each change of status, not for each reading."""
    first = reading("InProgress", **stages(validation="InProgress"))
    second = reading("InProgress", **stages(validation="Completed", training="InProgress"))
    changes: list[CustomizationJob] = []
    script = Scripted(first, first, second, second, reading("Completed"))
    job = wait(script, Time(), on_change=changes.append)
    assert job.status == "Completed"
    assert [one.stage for one in changes] == ["validation", "training", ""]


def test_wait_for_job_when_it_fails_then_gives_aws_s_reason_and_a_fix() -> None:
    """AWS's words first, then what to do about them."""
    message = "Could not validate GetObject permissions to access Amazon S3 bucket: b at key k"
    with pytest.raises(JobFailedError, match=r"job-1 failed: Could not.*notebook 1 again"):
        wait(Scripted(reading("Failed", failureMessage=message)), Time())


def test_wait_for_job_when_stopped_then_says_what_that_means() -> None:
    """No model, no resuming, and a bill on AWS alone: the sandbox bills nothing."""
    script = Scripted(reading("Stopping"), reading("Stopped"))
    with pytest.raises(
        JobFailedError, match=r"was stopped.*no model.*on AWS .* billed.*notebook 3 again"
    ):
        wait(script, Time())


def test_wait_for_job_when_status_is_unknown_then_is_an_error() -> None:
    """A word that AWS has added since is not taken for good or bad."""
    with pytest.raises(HaikuftError, match='"Paused", which this version'):
        wait(Scripted(reading("Paused")), Time())


def test_wait_for_job_when_deadline_passes_then_says_that_it_continues() -> None:
    """The wait ends, the job does not."""
    time = Time()
    with pytest.raises(WaitTimeoutError, match=rf"continues.*2 hours.*{RESUME}"):
        wait(Scripted(reading("InProgress")), time, deadline_seconds=7200)
    assert time.seconds == 7200


def test_wait_for_job_when_network_stays_away_then_says_that_the_job_continues() -> None:
    """The client has repeated the reading by then, for as long as any call."""
    with pytest.raises(HaikuftError, match=rf"network.*continues meanwhile.*{RESUME}"):
        wait(Scripted(reading("InProgress"), LOST), Time())


def test_wait_for_job_when_login_expires_then_says_how_to_log_in_and_resume() -> None:
    """An expired token costs nothing: log in, run the named command."""
    script = Scripted(reading("InProgress"), refusal("ExpiredTokenException", "Expired."))
    with pytest.raises(CredentialsError, match=rf"aws sso login.*continues.*{RESUME}"):
        wait(script, Time())


def test_wait_for_job_when_refused_then_is_not_tried_again() -> None:
    """Waiting does not fix a permission."""
    script = Scripted(refusal("AccessDeniedException", "No.", 403))
    with pytest.raises(AccessError):
        wait(script, Time())
    assert len(script.calls) == 1


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Automated tests flagged ... Anthropic's third-party license terms.", "AWS Support"),
        ("Amazon S3 perms missing (PutObject): b/.write_access_check_file.tmp", "output folder"),
        ("Unable to parse Amazon S3 file: t. Data files must conform to JSONL format.", "JSON Lin"),
        ("Input size exceeded in file t.jsonl for record starting with {", "longer than"),
        ("Maximum input token count 40000 exceeds limit of 32000", "longer than"),
        ("Unable to parse S3 file due to invalid data schema/format. A record", "model's format"),
        ("The sum of training and validation records is 20000", "your quota"),
        ("Could not assume provided IAM role.", "trust policy"),
        ("Could not validate GetObject permissions: not allowed kms:Decrypt", "kms_key_arn"),
        ("Encountered an unexpected error, please try again", "fault is AWS's"),
        ("Something nobody has seen yet", "Bedrock console"),
        (None, "Bedrock console"),
    ],
)
def test_explain_failure_when_given_aws_s_words_then_says_what_to_do(
    message: str | None, words: str
) -> None:
    """Every documented failure has a fix, and any other leads to the console."""
    assert words in explain_failure(message)


@pytest.mark.parametrize(
    ("line", "expected"),
    [({}, True), (refusal("ResourceNotFoundException", "Gone.", 404), False)],
)
def test_delete_custom_model_when_gone_then_succeeds(line: Any, expected: bool) -> None:
    """Deleting twice is fine, and says which time did it."""
    client: Any = Scripted(line)
    assert delete_custom_model(client, "model-1") is expected


def test_delete_custom_model_when_in_use_then_names_what_holds_it() -> None:
    """The throughput has to go first."""
    client: Any = Scripted(refusal("ConflictException", "The model is in use."))
    with pytest.raises(ConflictError, match="Provisioned Throughput first"):
        delete_custom_model(client, "model-1")


NOT_IN_PROGRESS = refusal("ConflictException", "The job is not in progress.")


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped", "Stopping"])
def test_stop_job_when_it_has_ended_then_leaves_it(status: str) -> None:
    """Stopping what has stopped is no error."""
    client: Any = Scripted(reading(status), stop_model_customization_job=NOT_IN_PROGRESS)
    c.stop_job(client, ARN)


def test_stop_job_when_it_cannot_be_stopped_then_says_so() -> None:
    """A job that continues is never taken for a stopped one."""
    client: Any = Scripted(reading("InProgress"), stop_model_customization_job=NOT_IN_PROGRESS)
    with pytest.raises(ConflictError, match="not in progress"):
        c.stop_job(client, ARN)
