"""Replies of models, and the JSON Lines file that keeps them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from haikuft.files import JsonLinesFile, read_json_lines

_STAND_IN = "sandbox-stand-in"  # how the names of the sandbox's models begin
NOTICE = "In the sandbox a small stand-in was trained and answered; no Claude or Nova was involved."


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply to one record, or the error in its place.

    Attributes:
        record_id: The record's digest, from `haikuft.dataset.records.record_id`.
        model_id: What was asked: a throughput's ARN, a model's id or an inference profile.
        text: The reply; "" when there is an error.
        stop_reason: AWS's word: "end_turn", "max_tokens", "stop_sequence" …
        input_tokens: Tokens read, as the service counts and bills them.
        output_tokens: Tokens written.
        latency_seconds: From the request to the whole reply, retries included.
        model: The name in the reply, such as a stand-in's; "" where there is none.
        error: Why there is no reply; None when there is one.
        asked_at: UTC, ISO 8601.
        settings: Of the request, as JSON; a record is asked again under other settings.
        answered_by: The custom model that `model_id`, a throughput or deployment, serves; "" for
            `model_id` itself.
        api: The API: "converse" or "messages".
        retries: How often the SDK repeated the request.
        first_seconds: From the request to the first piece of text; None where not streamed.
    """

    record_id: str
    model_id: str
    text: str
    stop_reason: str
    input_tokens: int
    output_tokens: int
    latency_seconds: float
    model: str
    error: str | None
    asked_at: str
    settings: str
    answered_by: str = ""
    api: str = "messages"  # files written before there was a choice do not say
    retries: int = 0
    first_seconds: float | None = None


def notice_of(names: Iterable[str]) -> str:
    """Say that a stand-in answered, where one of the names in replies is a stand-in's; else ""."""
    return NOTICE if any(name.startswith(_STAND_IN) for name in names) else ""


def file_name(model: str) -> str:
    """Name the file of a model's replies, valid on every file system and unique to the model.

    Example: `ask_many(runtime, model_id, records, path=run.replies / file_name("tuned"))`.
    """
    safe = re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip("._")
    if safe == model:
        return f"{safe}.jsonl"
    digest = hashlib.blake2b(model.encode(errors="backslashreplace"), digest_size=4).hexdigest()
    return f"{safe[-60:]}-{digest}.jsonl"


def read_replies(path: Path) -> list[Reply]:
    """Read the replies of a file in their order; an absent file has none.

    An incomplete last line is skipped: it may be written at this moment, and otherwise its record
    counts as not asked. The file is left as it is.

    Raises:
        DataError: a line is not a reply; names file and line.
    """
    return read_json_lines(
        path, Reply, what="a reply", fix="Delete the line; its record will be asked again."
    )


def open_replies(path: Path) -> JsonLinesFile:
    """Open a file of replies to add to it, locked so that no two processes ask the same thing.

    Raises:
        ConflictError: another process is asking and writing to the file.
        DataError: the file cannot be opened or locked.
    """
    return JsonLinesFile(
        path,
        conflict="another process is asking and writing to this file, and both would pay for the "
        "same replies. Wait until it ends, or stop it (an interrupted cell ends when its running "
        "requests are answered), then run this again.",
    )
