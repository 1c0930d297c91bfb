"""AWS's errors in our words: what happened, and how to mend it.

Sources: the error codes in the API references of Bedrock, S3, IAM, STS and Service Quotas.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError

from haikuft.errors import (
    AccessError,
    ConflictError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    SettingsError,
)

LOGIN = (
    "Log in again (`aws sso login`, or put new access keys in place) and see that "
    "`aws sts get-caller-identity` answers"
)

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
_UNKNOWN_KEYS = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidAccessKeyId",
        "InvalidToken",
        "AuthFailure",
        "MissingAuthenticationToken",
    }
)
_REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
)
_ABSENT = frozenset(
    {
        "ResourceNotFoundException",
        "NoSuchEntity",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchResourceException",
        "NotFoundException",
        "NoSuchTagSet",
        "404",
    }
)
_CONFLICT = frozenset(
    {
        "ConflictException",
        "ResourceInUseException",
        "EntityAlreadyExists",
        "DeleteConflict",
        "BucketAlreadyExists",
        "BucketAlreadyOwnedByYou",
        "BucketNotEmpty",
        "OperationAborted",
    }
)
_QUOTA = frozenset(
    {"ServiceQuotaExceededException", "LimitExceeded", "TooManyBuckets", "TooManyTagsException"}
)
_INVALID = frozenset(
    {
        "ValidationException",
        "ValidationError",
        "InvalidRequest",
        "InvalidInput",
        "InvalidArgument",
        "InvalidBucketName",
        "MalformedPolicyDocument",
        "MalformedPolicy",
        "InvalidLocationConstraint",
        "IllegalLocationConstraintException",
    }
)
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
_BUSY = _THROTTLED | frozenset(
    {
        "ModelErrorException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "ServiceException",
        "RequestTimeout",
    }
)
_LOGIN_ERRORS = (
    botocore_errors.NoCredentialsError,
    botocore_errors.PartialCredentialsError,
    botocore_errors.CredentialRetrievalError,
    botocore_errors.ProfileNotFound,
    botocore_errors.SSOError,
    botocore_errors.TokenRetrievalError,
    botocore_errors.NoAuthTokenError,
    botocore_errors.RefreshWithMFAUnsupportedError,
)


@contextmanager
def explaining(doing: str, *, resume: str = "") -> Iterator[None]:
    """Turn AWS's errors inside the block into ours; `doing` says what we were at."""
    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise explain(error, doing=doing, resume=resume) from error


def explain(
    error: ClientError | BotoCoreError | Boto3Error, *, doing: str, resume: str = ""
) -> HaikuftError:
    """Say one of AWS's errors in our words, with a mend.

    Args:
        error: as boto3 raised it.
        doing: what was being done, such as "creating bucket tickets".
        resume: the command that goes on from here; "" leaves it out.
    """
    if isinstance(error, Boto3Error) and isinstance(error.__context__, ClientError):
        error = error.__context__  # an upload wraps the error that has the code
    code, what = error_code(error), f"While {doing}: {_reason(error)}"
    then = f", then go on with `{resume}`." if resume else "."
    if isinstance(error, _LOGIN_ERRORS) or code in _EXPIRED:
        return CredentialsError(f"{what} There is no valid login. {LOGIN}{then}")
    if code in _UNKNOWN_KEYS:
        return CredentialsError(f"{what} AWS does not know these access keys. {LOGIN}{then}")
    if code in _REFUSED:
        return AccessError(
            f"{what} Give the policy that notebook 1 prints for the caller to your administrator."
        )
    if code == "FTUFormNotFilled":
        return AccessError(
            f"{what} Fill in Anthropic's use-case form in the Bedrock console's model catalog."
        )
    if code in _ABSENT:
        return NotFoundError(f"{what} Check the name and the Region; it may have been deleted.")
    if code in _CONFLICT:
        return ConflictError(f"{what} The name is taken or the thing is still in use.")
    if code in _QUOTA:
        return AccessError(f"{what} Ask for a higher quota in the Service Quotas console.")
    if code in _INVALID or isinstance(error, botocore_errors.ParamValidationError):
        return SettingsError(f"{what} Mend the value named there.")
    if code in _THROTTLED:
        return HaikuftError(
            f"{what} Ask for less at once, or for a higher quota, and try again in a while."
        )
    if isinstance(error, ClientError) and is_transient(error):
        return HaikuftError(f"{what} That is AWS's side; try again in some minutes.")
    if is_transient(error):
        return HaikuftError(f"{what} Check the network and the Region's name, and try again soon.")
    return HaikuftError(what)


def error_code(error: Exception) -> str:
    """AWS's code of an error, such as "AccessDenied"; "" where there is none."""
    if not isinstance(error, ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    code = code[:1].upper() + code[1:]  # in the middle of a stream it begins in lower case
    return "FTUFormNotFilled" if "FTUFormNotFilled" in f"{code} {error}" else code


def is_absent(error: ClientError) -> bool:
    """Tell "there is no such thing" from every other refusal."""
    return error_code(error) in _ABSENT


def is_transient(error: Exception) -> bool:
    """Tell whether the same call may succeed in a while: lost network, throttling, AWS's fault."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return error_code(error) in _BUSY or status >= 500
    return isinstance(error, botocore_errors.HTTPClientError | botocore_errors.ConnectionError)


def _reason(error: Exception) -> str:
    text = str(error)
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        text = f"{detail.get('Code', '')}: {detail.get('Message', '')}".strip(": ") or text
    return text if text.endswith((".", "!", "?")) else f"{text}."
