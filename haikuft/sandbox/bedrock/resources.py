"""What all resources share: lists page by page, and requests repeated with their token.

Lists are filtered and sorted by creation time, as AWS gives them.
A page's token holds the place of its last record, so records made or deleted between two pages
are neither shown twice nor cause others to be missed.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from haikuft.sandbox.bedrock.records import Record, State
from haikuft.sandbox.http.routing import Call, ServiceError

DEFAULT_PAGE = 100  # AWS names no default; its maximum is 1,000


def page(
    records: Iterable[Record], parameters: Mapping[str, Any]
) -> tuple[list[Record], dict[str, str]]:
    """Choose the records of one page.

    `parameters` are those all of Bedrock's lists share: creationTimeAfter, creationTimeBefore,
    nameContains, sortOrder (newest first unless Ascending), maxResults and nextToken.

    Returns:
        The records, and {"nextToken": …} or {} when there are no more.

    Raises:
        ServiceError: the token is not one that a list here gave out.
    """
    descending = parameters.get("sortOrder", "Descending") == "Descending"
    chosen = sorted(
        (record for record in records if _wanted(record, parameters)),
        key=_place,
        reverse=descending,
    )
    token = parameters.get("nextToken")
    if token is not None:
        last = _decode(token)
        chosen = [r for r in chosen if (_place(r) < last if descending else _place(r) > last)]
    size = parameters.get("maxResults", DEFAULT_PAGE)
    shown = chosen[:size]
    more = {"nextToken": _encode(_place(shown[-1]))} if len(chosen) > size else {}
    return shown, more


def _wanted(record: Record, parameters: Mapping[str, Any]) -> bool:
    after, before = parameters.get("creationTimeAfter"), parameters.get("creationTimeBefore")
    return (
        (after is None or record.created > after)
        and (before is None or record.created < before)
        and parameters.get("nameContains", "") in record.name
    )


def _place(record: Record) -> tuple[str, str]:
    # Full precision in a fixed width, so that text sorts as time does.
    return record.created.strftime("%Y-%m-%dT%H:%M:%S.%f"), record.arn


def _encode(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(" ".join(place).encode()).decode()


def _decode(token: str) -> tuple[str, str]:
    try:
        created, arn = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
    except (binascii.Error, ValueError) as error:
        raise ServiceError("ValidationException", "The provided nextToken is invalid.") from error
    return created, arn


def recall(state: State, call: Call) -> str:
    """Find the ARN that an earlier request with this token made; "" if there was none."""
    return state.tokens.get(_token_key(call), "")


def remember(state: State, call: Call, arn: str) -> None:
    """Note what a request with this token made."""
    if "clientRequestToken" in call.parameters:
        state.tokens[_token_key(call)] = arn


def _token_key(call: Call) -> str:
    token = call.parameters.get("clientRequestToken", "")
    return f"{call.operation}/{call.region}/{token}"
