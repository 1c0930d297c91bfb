"""AWS's errors in our words: what happened, and how to fix it. Their codes: `error_codes.toml`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

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
from haikuft.package_data import read_toml

LOGIN = (
    "Log in again (`aws sso login`, or put new access keys in place) and see that "
    "`aws sts get-caller-identity` answers"
)

_KINDS: Mapping[str, tuple[type[HaikuftError], str]] = {  # kind of error -> ours, how to fix it
    "expired": (CredentialsError, f"There is no valid login. {LOGIN}"),
    "unknown_keys": (CredentialsError, f"AWS does not know these access keys. {LOGIN}"),
    "refused": (
        AccessError,
        "Give the policy that notebook 1 prints for the caller to your administrator.",
    ),
    "form": (
        AccessError,
        "Fill in Anthropic's use-case form in the Bedrock console's model catalog.",
    ),
    "absent": (NotFoundError, "Check the name and the Region; it may have been deleted."),
    "conflict": (ConflictError, "The name is taken or the resource is still in use."),
    "quota": (AccessError, "Ask for a higher quota in the Service Quotas console."),
    "invalid": (SettingsError, "Correct the value named there."),
    "throttled": (
        HaikuftError,
        "Ask for less at once, or for a higher quota, and try again in a while.",
    ),
    "unavailable": (HaikuftError, "The fault is AWS's; try again in some minutes."),
    "network": (HaikuftError, "Check the network and the Region's name, and try again soon."),
    "other": (HaikuftError, ""),
}
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
    """Say one of AWS's errors in our words, and how to fix it.

    Args:
        error: as boto3 raised it.
        doing: what was being done, such as "creating bucket tickets".
        resume: the command that continues from here; "" leaves it out.
    """
    if isinstance(error, Boto3Error) and isinstance(error.__context__, ClientError):
        error = error.__context__  # an upload wraps the error that has the code
    kind, fix = _KINDS[_kind_of(error)]
    if kind is CredentialsError:
        fix += f", then continue with `{resume}`." if resume else "."
    return kind(f"While {doing}: {_reason(error)} {fix}".rstrip())


def error_code(error: Exception) -> str:
    """AWS's code of an error, such as "AccessDenied"; "" where there is none."""
    if not isinstance(error, ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    code = code[:1].upper() + code[1:]  # in the middle of a stream it begins in lower case
    return "FTUFormNotFilled" if "FTUFormNotFilled" in f"{code} {error}" else code


def is_absent(error: ClientError) -> bool:
    """Tell "there is no such thing" from every other refusal."""
    return _kind_of(error) == "absent"


def is_transient(error: Exception) -> bool:
    """Tell whether the same call may succeed in a while: lost network, throttling, AWS's fault."""
    return _kind_of(error) in ("throttled", "unavailable", "network")


def _kind_of(error: Exception) -> str:
    """Find the kind of one of boto3's errors, a key of `_KINDS`."""
    if isinstance(error, _LOGIN_ERRORS):
        return "expired"
    if isinstance(error, botocore_errors.ParamValidationError):
        return "invalid"
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return _read_codes().get(error_code(error), "unavailable" if status >= 500 else "other")
    lost = isinstance(error, botocore_errors.HTTPClientError | botocore_errors.ConnectionError)
    return "network" if lost else "other"


@cache
def _read_codes() -> dict[str, str]:
    """Read AWS's error codes; code -> kind."""
    kinds = read_toml(__package__, "error_codes.toml")
    return {code: kind for kind, codes in kinds.items() for code in codes}


def _reason(error: Exception) -> str:
    text = str(error)
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        text = f"{detail.get('Code', '')}: {detail.get('Message', '')}".strip(": ") or text
    return text if text.endswith((".", "!", "?")) else f"{text}."
