"""AWS's errors in our words: what happened, and how to fix it. What AWS answers: `answers.toml`."""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

import msgspec
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from haikuft import errors
from haikuft.errors import HaikuftError, NotFoundError
from haikuft.package_data import read_toml

Parameters = ParamSpec("Parameters")
Given = TypeVar("Given")

# KeyError: an answer without a member that each of AWS's has, such as a page of HTML.
AWS_ERRORS = (ClientError, BotoCoreError, Boto3Error, ResponseParserError, KeyError)
_LOGIN = (
    "Log in again (`aws login`, `aws sso login`, or put new access keys in place) and see that "
    "`aws sts get-caller-identity` answers"
)
_PAGE = re.compile(r"\s*<(!doctype\s+)?html\b", re.IGNORECASE)
_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")


class ForeignAnswerError(BotoCoreError):
    """A page of HTML came where AWS's answer should be."""

    fmt = "{operation}: {url} answered with status {status} and a page of HTML"


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of `answers.toml`, which says what each column holds; `error` is "" for a note."""

    remedy: str
    meaning: str = ""
    error: str = ""
    codes: frozenset[str] = frozenset()
    pattern: str = ""
    transient: bool = False

    def match(self, codes: frozenset[str], message: str) -> re.Match[str] | None:
        """Match an error by its codes and its message."""
        if self.codes and self.codes.isdisjoint(codes):
            return None
        return re.search(self.pattern, message, re.IGNORECASE)


_UNKNOWN = Answer("", error="HaikuftError")


@contextmanager
def explaining(doing: str) -> Iterator[None]:
    """Turn AWS's errors inside the block into ours; `doing` says what we were at."""
    try:
        yield
    except AWS_ERRORS as error:
        raise explain(error, doing=doing) from error


def explain(error: Exception, *, doing: str) -> HaikuftError:
    """Say one of AWS's errors in our words, and how to fix it.

    Args:
        error: one of `AWS_ERRORS`, as boto3 raised it.
        doing: what was being done, such as "creating bucket tickets".
    """
    if isinstance(error, Boto3Error) and isinstance(error.__context__, AWS_ERRORS):
        error = error.__context__  # an upload wraps the error that has the code
    answer, remedy = _find(error)
    remedies = " ".join([remedy, *(text for _, text in _matches(error, _read("note")))])
    kind: type[HaikuftError] = getattr(errors, answer.error)
    return kind(f"While {doing}: {_reason(error)} {remedies}".rstrip())


def error_code(error: BaseException | None) -> str:
    """AWS's code of an error, such as "AccessDenied"; "" where there is none."""
    if not isinstance(error, ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code[:1].upper() + code[1:]  # in the middle of a stream it begins in lower case


def is_absent(error: Exception) -> bool:
    """Tell "there is no such thing" from every other refusal."""
    return _find(error)[0].error == "NotFoundError"


def unless_absent(
    call: Callable[Parameters, Given], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Given | None:
    """Call AWS, or what reads it in our words, and give None where there is no such thing."""
    try:
        return call(*args, **kwargs)
    except NotFoundError:
        return None
    except ClientError as error:
        if not is_absent(error):
            raise
        return None


def is_transient(error: BaseException | None) -> bool:
    """Tell whether the same call may succeed in a while: lost network, throttling, AWS's fault."""
    return isinstance(error, Exception) and _find(error)[0].transient


def refuse_foreign_answers(client: Any) -> None:
    """Have a client raise ForeignAnswerError for a page of HTML, in whatever call.

    botocore reads such a page with status 200 as an answer without members, so that a listing
    seems empty; for S3 it makes the status 500. AWS's own answers have a request id.
    """
    client.meta.events.register("before-parse", partial(_check_origin, client.meta.endpoint_url))


def _check_origin(
    url: str, *, operation_model: Any, response_dict: Mapping[str, Any], **_: Any
) -> None:
    headers = response_dict["headers"]
    is_page = "text/html" in str(headers.get("content-type", ""))
    if is_page and not any(name in headers for name in _REQUEST_IDS):
        raise ForeignAnswerError(
            operation=operation_model.name, url=url, status=response_dict["status_code"]
        )


@cache
def _read(kind: str) -> tuple[Answer, ...]:
    """Read the rows of `answers.toml`: "answer" or "note"."""
    return msgspec.convert(read_toml(__package__, "answers.toml")[kind], tuple[Answer, ...])


def _find(error: Exception) -> tuple[Answer, str]:
    """Find the row that applies, and its text; the last is for what no row is about."""
    return next(_matches(error, (*_read("answer"), _UNKNOWN)))


def _matches(error: Exception, answers: Sequence[Answer]) -> Iterator[tuple[Answer, str]]:
    codes, reason = _codes_of(error), _reason(error)
    for answer in answers:
        if found := answer.match(codes, reason):
            groups = {name: text or "" for name, text in found.groupdict().items()}
            text = f"{answer.meaning} {answer.remedy}".strip()
            yield answer, text.format(login=_LOGIN, python=sys.executable, **groups)


def _codes_of(error: Exception) -> frozenset[str]:
    """Name an error as the table does: by AWS's code, or by its class and their base classes."""
    if not isinstance(error, ClientError):
        return frozenset(kind.__name__ for kind in type(error).__mro__)
    if _PAGE.match(str(error.response.get("Error", {}).get("Message", ""))):
        return frozenset({ForeignAnswerError.__name__})
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return frozenset({error_code(error), "5xx"} if status >= 500 else {error_code(error)})


def _reason(error: Exception) -> str:
    """What AWS says, without the page of somebody else."""
    text = str(error)
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        said = str(detail.get("Message", ""))
        said = "a page of HTML" if _PAGE.match(said) else said
        text = f"{detail.get('Code', '')}: {said}".strip(": ") or text
    elif isinstance(error, KeyError):
        text = f"the answer has no {error}"
    elif isinstance(error, ResponseParserError) and "<" in text:
        text = "the answer cannot be read"
    return text if text.endswith((".", "!", "?")) else f"{text}."
