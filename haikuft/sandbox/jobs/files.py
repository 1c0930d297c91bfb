"""Files that a job reads and writes in S3 under its role, and AWS's error messages for them.

Messages: Amazon Bedrock User Guide, fine-tuning-troubleshooting. AWS names the permission; the
further detail here (which action on which resource) follows after AWS's sentence.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from haikuft.base_models import BaseModel
from haikuft.dataset.problems import Problem
from haikuft.dataset.report import Kind, Report
from haikuft.dataset.validate.validation import validate_file
from haikuft.package_data import read_toml
from haikuft.sandbox.access.authorization import KEY_ACTIONS
from haikuft.sandbox.access.policy_evaluation import AccessDenied
from haikuft.sandbox.access.store import Role, RoleNotAssumable, Store, listing_permission
from haikuft.sandbox.http.messages import validation_error

PROBE = ".write_access_check_file.tmp"  # AWS writes it before it starts, and leaves it there
UNEXPECTED = "Encountered an unexpected error when processing the request, please try again"

_FAILURES = read_toml("haikuft.sandbox.jobs", "failures.toml")


class JobError(Exception):
    """An error that fails the job; the message becomes its failureMessage."""


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
        raise validation_error("trainingDataConfig needs an s3Uri.")
    validators = request.get("validationDataConfig", {}).get("validators", [])
    if len(validators) > 1:
        raise validation_error("The sandbox takes one validation file, no more.")
    return [training, *(validator["s3Uri"] for validator in validators)]


def check_role(store: Store, request: Mapping[str, Any], job_arn: str) -> None:
    """Refuse a job whose role Bedrock cannot assume.

    Raises:
        ServiceError: with the reason, which AWS does not tell.
    """
    try:
        store.assume_role(request["roleArn"], source_arn=job_arn)
    except RoleNotAssumable as error:
        raise validation_error(str(error)) from error


def check_bucket(store: Store, uri: str, region: str, refusal: str) -> None:
    """Refuse a job that names a bucket outside its Region; `refusal` begins the message.

    Raises:
        ServiceError: the bucket is in another Region, or does not exist.
    """
    found = store.bucket_region(split_uri(uri)[0])
    if found != region:
        reason = "does not exist" if found is None else f"is in {found}, the job in {region}"
        raise validation_error(f"{refusal} The bucket {reason}.")


def refuse_reading(uri: str) -> str:
    """Return AWS's sentence for a data file that cannot be read."""
    bucket, key = split_uri(uri)
    access = "Could not validate GetObject permissions to access Amazon S3 bucket"
    return f"{access}: {bucket} at key {key}."


def refuse_writing(uri: str) -> str:
    """Return AWS's sentence for an output location that cannot be written."""
    bucket, key = split_uri(uri)
    return f"Could not validate PutObject permissions to access S3 bucket: {bucket} at key {key}."


def read_input(store: Store, role: Role, uri: str) -> bytes:
    """Read a data file as the role.

    AWS's guide names two permissions for a data file, s3:GetObject and s3:ListBucket, so both are
    required.

    Raises:
        JobError: the role lacks a permission, or the object does not exist.
    """
    bucket, key = split_uri(uri)
    with _job_errors(refuse_reading(uri), "There is no such object."):
        store.require(role, listing_permission(bucket, key))
        return store.get_object(role, bucket, key)


def write_output(store: Store, role: Role, output_uri: str, name: str, data: bytes) -> None:
    """Write an object under the job's output location as the role.

    Raises:
        JobError: the role lacks a permission, or the bucket does not exist.
    """
    uri = f"{output_uri.rstrip('/')}/{name}"
    bucket, key = split_uri(uri)
    refusal = f"Amazon S3 perms missing (PutObject): {refuse_writing(uri)}"
    with _job_errors(refusal, "There is no such bucket."):
        store.put_object(role, bucket, key, data)


def check_key(store: Store, role: Role, key_arn: str) -> None:
    """Check that the role may use the customer managed key, if any, to encrypt the model.

    AWS does not document its message for this error; this one is the sandbox's.

    Raises:
        JobError: the role lacks a permission, or the key does not exist.
    """
    refusal = f"Could not validate permissions to use KMS key: {key_arn}."
    with _job_errors(refusal, "There is no such key."):
        if key_arn:
            store.require_key(role, key_arn, KEY_ACTIONS)


def check_records(path: Path, base_model: BaseModel, *, kind: Kind, uri: str) -> Report:
    """Check a data file as Bedrock does: what it refuses fails the job, nothing else.

    Args:
        path: The file as it was uploaded.
        base_model: The base model whose format and limits apply.
        kind: "training" or "validation".
        uri: The S3 URI; messages name its file.

    Raises:
        JobError: AWS's sentence for that kind of problem, then the first problem.
    """
    report = validate_file(path, base_model, kind=kind)
    refused = [
        problem
        for problem in report.problems
        if (problem.basis == "refused" and problem.severity == "error")
        or problem.code in _FAILURES["not_supported"]
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
    rows = _FAILURES["sentences"]
    row = next(row for row in rows if problem.code in row["codes"] or not row["codes"])
    words = row["sentence"].format(file=file_name)
    place = "" if problem.line is None else f"line {problem.line}"
    place += f", {problem.place}" if problem.place else ""
    found = f"{place}: {problem.message}." if place else f"{problem.message}."
    more = f" And {count - 1} more." if count > 1 else ""
    return f"{words} {found[0].upper()}{found[1:]}{more}"


@contextmanager
def _job_errors(refusal: str, missing: str) -> Iterator[None]:
    """Turn a denied or missing resource into a JobError: AWS's sentence, then the reason."""
    try:
        yield
    except AccessDenied as error:
        reason = f"The role is not allowed {error.action} on {error.resource}, {error.reason}."
        raise JobError(f"{refusal} {reason}") from error
    except KeyError as error:
        raise JobError(f"{refusal} {missing}") from error
