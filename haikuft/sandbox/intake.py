"""What a job reads from S3 and writes there under its role, and AWS's words when it cannot.

Messages: Amazon Bedrock User Guide, fine-tuning-troubleshooting. AWS names the permission; where
ours says more (which action on which resource), it stands after AWS's own sentence.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haikuft.base_models import BaseModel
from haikuft.dataset.problems import Problem
from haikuft.dataset.report import Kind, Report
from haikuft.dataset.validate.validation import validate_file
from haikuft.sandbox.callers import AccessDenied
from haikuft.sandbox.permissions import KEY_ACTIONS
from haikuft.sandbox.protocol import ServiceError
from haikuft.sandbox.storage import Role, Store

PROBE = ".write_access_check_file.tmp"  # AWS writes it before it starts, and leaves it there
UNEXPECTED = "Encountered an unexpected error when processing the request, please try again"


_NOT_JSONL = frozenset({"cannot-read", "not-text", "not-utf8", "not-json", "blank-line"})
_NOT_JSONL_WORDS = "Data files must conform to JSONL format."
_TOO_LONG = frozenset({"line-too-long", "file-too-large", "too-many-tokens"})
_TOO_MANY = frozenset({"too-few-records", "too-many-records"})
# AWS tunes some models on images and the like; the stand-in reads text alone.
_BEYOND_US = frozenset({"not-plain-text"})


class JobError(Exception):
    """The job fails; the message becomes its failureMessage."""


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI; the key of a prefix has no slash at its end."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key.rstrip("/")


def input_uris(request: Mapping[str, Any]) -> list[str]:
    """Read the S3 URIs of a job's training file and, if it has one, its validation file.

    Raises:
        ServiceError: no training file, or more than the one validation file the sandbox takes.
    """
    training = request["trainingDataConfig"].get("s3Uri")
    if training is None:
        raise ServiceError("ValidationException", "trainingDataConfig needs an s3Uri.")
    validators = request.get("validationDataConfig", {}).get("validators", [])
    if len(validators) > 1:
        raise ServiceError("ValidationException", "The sandbox takes one validation file, no more.")
    return [training, *(validator["s3Uri"] for validator in validators)]


def check_validation(request: Mapping[str, Any], base_model: BaseModel) -> None:
    """Refuse a validation file for a model that takes none.

    Raises:
        ServiceError: there is one.
    """
    # AWS's pages call it unused or unsupported, its newer validator an error; whether a job is
    # refused or the file passed over is not documented. The guides agree not to send one.
    if len(input_uris(request)) > 1 and not base_model.takes_validation:
        raise ServiceError(
            "ValidationException",
            f"{base_model.id} does not use validation data. Leave validationDataConfig out.",
        )


def find_output(request: Mapping[str, Any], job_id: str) -> str:
    """Return the S3 URI that a job's results go under, without a slash at its end."""
    return f"{request['outputDataConfig']['s3Uri'].rstrip('/')}/model-customization-job-{job_id}"


def read_input(store: Store, role: Role, uri: str) -> bytes:
    """Fetch a data file as the role.

    AWS's guide on this refusal names two permissions for a data file, s3:GetObject and
    s3:ListBucket, so both are asked.

    Raises:
        JobError: the role may not, or the object is not there.
    """
    bucket, key = split_uri(uri)
    refusal = f"Could not validate GetObject permissions to access Amazon S3 bucket: {bucket} "
    try:
        store.require_listing(role, bucket, key)
        return store.get_object(role, bucket, key)
    except AccessDenied as error:
        raise JobError(f"{refusal}at key {key}. {_denied(error)}") from error
    except KeyError as error:
        raise JobError(f"{refusal}at key {key}. There is no such object.") from error


def write_output(store: Store, role: Role, output_uri: str, name: str, data: bytes) -> None:
    """Put an object under the job's output location as the role.

    Raises:
        JobError: the role may not, or the bucket is gone.
    """
    bucket, prefix = split_uri(output_uri)
    key = f"{prefix}/{name}" if prefix else name
    refusal = (
        "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to access "
        f"S3 bucket: {bucket} at key {key}."
    )
    try:
        store.put_object(role, bucket, key, data)
    except AccessDenied as error:
        raise JobError(f"{refusal} {_denied(error)}") from error
    except KeyError as error:
        raise JobError(f"{refusal} There is no such bucket.") from error


def check_key(store: Store, role: Role, key_arn: str) -> None:
    """See that Bedrock may encrypt the model with the customer's key, if any, as the role.

    How AWS words this refusal is not documented; the words are ours.

    Raises:
        JobError: the role may not, or the key is not there.
    """
    refusal = f"Could not validate permissions to use KMS key: {key_arn}."
    try:
        if key_arn:
            store.require_key(role, key_arn, KEY_ACTIONS)
    except AccessDenied as error:
        raise JobError(f"{refusal} {_denied(error)}") from error
    except KeyError as error:
        raise JobError(f"{refusal} There is no such key.") from error


def check_records(path: Path, base_model: BaseModel, *, kind: Kind, uri: str) -> Report:
    """Check a data file as Bedrock does: what it refuses fails the job, nothing else.

    Args:
        path: The file as it was uploaded.
        base_model: Whose format and limits hold.
        kind: "training" or "validation".
        uri: Where it came from; messages name its file.

    Raises:
        JobError: in AWS's words for that kind of fault, then the first fault found.
    """
    report = validate_file(path, base_model, kind=kind)
    refused = [
        problem
        for problem in report.problems
        if (problem.basis == "refused" and problem.severity == "error")
        or problem.code in _BEYOND_US
    ]
    if refused:
        raise JobError(_explain(refused[0], split_uri(uri)[1].rpartition("/")[2], len(refused)))
    return report


def check_total(records: int, base_model: BaseModel) -> None:
    """Check the sum of training and validation records against the model's quota.

    Raises:
        JobError: there are more.
    """
    limit = base_model.limits.max_total_records
    if records > limit:
        raise JobError(
            f"The sum of training and validation records is {records} and exceeds the limit of "
            f"{limit} for {base_model.id}."
        )


def _explain(problem: Problem, file_name: str, count: int) -> str:
    if problem.code in _NOT_JSONL:
        words = f"Unable to parse Amazon S3 file: {file_name}. {_NOT_JSONL_WORDS}"
    elif problem.code in _TOO_LONG:
        words = f"Input size exceeded in file {file_name}."
    elif problem.code in _TOO_MANY:
        words = f"The file {file_name} cannot be used."
    else:
        words = f"Unable to parse S3 file due to invalid data schema/format. In {file_name}:"
    place = "" if problem.line is None else f"line {problem.line}"
    place += f", {problem.place}" if problem.place else ""
    found = f"{place}: {problem.message}." if place else f"{problem.message}."
    more = f" And {count - 1} more." if count > 1 else ""
    return f"{words} {found[0].upper()}{found[1:]}{more}"


def _denied(error: AccessDenied) -> str:
    return f"The role is not allowed {error.action} on {error.resource}, {error.reason}."
