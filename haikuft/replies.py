"""Replies of models, and the file that keeps them: one JSON object a line, only ever added to."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from haikuft.errors import DataError


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply to one record, or the error that stands in its place.

    Attributes:
        record_id: The record's digest, from `haikuft.dataset.records.record_id`.
        model_id: What was asked: a throughput's ARN, a model's id or an inference profile.
        text: The reply; "" when there is an error.
        stop_reason: AWS's word: "end_turn", "max_tokens", "stop_sequence" …
        input_tokens: Tokens read, as the service counts and bills them.
        output_tokens: Tokens written.
        latency_seconds: From asking to having the whole reply, retries included.
        model: Who says to have answered; a stand-in says so here.
        error: Why there is no reply; None when there is one.
        asked_at: UTC, ISO 8601.
        settings: How it was drawn, as JSON; replies drawn otherwise are asked for anew.
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


def file_name(model: str) -> str:
    """Name the file of a model's replies, safe on every disk and unlike those of other models.

    Example: `ask_many(runtime, model_id, records, path=run.replies / file_name("tuned"))`.
    """
    safe = re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip("._")
    if safe == model:
        return f"{safe}.jsonl"
    digest = hashlib.blake2b(model.encode(errors="backslashreplace"), digest_size=4).hexdigest()
    return f"{safe[-60:]}-{digest}.jsonl"


def read_replies(path: Path) -> list[Reply]:
    """Read the replies of a file in their order; an absent file has none.

    A last line cut short by a crash is cut off: its record counts as not asked.

    Raises:
        DataError: a line is no reply.
    """
    if not path.exists():
        return []
    _mend_end(path)
    replies = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            replies.append(Reply(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path}, line {number}: not a reply ({error}). Delete the line; its record will "
                "be asked again."
            ) from None
    return replies


def append_reply(path: Path, reply: Reply) -> None:
    """Write one line at once and see it on disk: what it holds may have been paid for."""
    line = json.dumps(asdict(reply), ensure_ascii=False) + "\n"
    with path.open("ab") as file:
        file.write(line.encode(errors="backslashreplace"))  # a lone surrogate as JSON's \\ud800
        file.flush()
        os.fsync(file.fileno())


def _mend_end(path: Path) -> None:
    """Make the file end with a whole line: finish a line that only lacks its end, cut any other."""
    content = path.read_bytes()
    start = content.rfind(b"\n") + 1
    if start == len(content):
        return
    try:
        json.loads(content[start:])
    except ValueError:
        os.truncate(path, start)
    else:
        with path.open("ab") as file:
            file.write(b"\n")
