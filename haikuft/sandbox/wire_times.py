"""Times on the wire: seconds since 1970, ISO 8601, or the date of an HTTP header."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

_Shape = Any  # a timestamp shape of botocore's

_LAST_SECOND = 32_503_680_000  # since 1970, at the end of the year 2999


def format_time(shape: _Shape, value: datetime, *, default: str) -> str | float:
    """Write a time in the format that the shape names, else in the default one."""
    style = shape.serialization.get("timestampFormat", default)
    moment = _aware(value)
    if style == "iso8601":
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if style == "rfc822":
        return format_datetime(moment, usegmt=True)
    return moment.timestamp()


def read_time(text: str) -> datetime:
    """Read seconds since 1970, ISO 8601, or the date of an HTTP header.

    Raises ValueError or OverflowError for what is none of them, or beyond the calendar.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            return _aware(datetime.fromisoformat(text))
        except ValueError:
            return _aware(parsedate_to_datetime(text))
    if not abs(seconds) < _LAST_SECOND:
        raise ValueError(f"{text} is beyond the calendar")
    return datetime.fromtimestamp(seconds, UTC)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
