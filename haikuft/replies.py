"""Replies of models, and the file that keeps them: one JSON object a line, only ever added to."""

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import msgspec

from haikuft.errors import ConflictError, DataError


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
        model: Who says to have answered, as a stand-in does; "" where the reply does not say.
        error: Why there is no reply; None when there is one.
        asked_at: UTC, ISO 8601.
        settings: How it was drawn, as JSON; replies drawn otherwise are asked for anew.
        answered_by: What stands behind `model_id`, such as the custom model that a throughput
            serves; "" for `model_id` itself.
        api: Through what it was asked: "converse" or "messages".
        retries: How often the SDK had to ask again until there was a reply.
        first_seconds: From asking to the first piece of text; None where it was not streamed.
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

    A last line that is cut short is passed over: it may be on its way this very moment, and
    otherwise its record counts as not asked. The file is left as it is.

    Raises:
        DataError: a line is no reply; names file and line.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(path, "read", error) from error
    lines = content[: whole_length(content)].split(b"\n")
    return [_parse(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]


class ReplyFile:
    """A file of replies that one asking holds, so that no two ask the same thing at once.

    Closing it, or the end of the process however it comes, lets go of it.

    Args:
        path: The file; it and its folder are made when there are none. A last line that was cut
            short is cut off, one that only lacks its end is finished.

    Raises:
        ConflictError: another asking holds it.
        DataError: the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        import fcntl  # not on Windows, where replies can be read all the same

        self.path = path
        self._writing = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise _unusable(path, "opened", error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mend_end(path)
        except BlockingIOError:
            self.close()
            raise ConflictError(
                f"{path}: another asking is writing to this file, and both would pay for the same "
                "replies. Let it end, or stop it (an interrupted cell ends when the replies "
                "under way are there), then run this again."
            ) from None
        except OSError as error:
            self.close()
            raise _unusable(path, "held", error) from error

    def read(self) -> list[Reply]:
        """Read what it holds, as `read_replies` does."""
        return read_replies(self.path)

    def append(self, reply: Reply) -> None:
        """Write one line at once and see it on disk: what it holds may have been paid for.

        Raises:
            DataError: the disk refuses; the file is as it was before.
        """
        line = json.dumps(asdict(reply), ensure_ascii=False) + "\n"
        rest = line.encode(errors="backslashreplace")  # a lone surrogate as JSON's \\ud800
        with self._writing:
            before = os.fstat(self._file.fileno()).st_size
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except OSError as error:
                with suppress(OSError):
                    self._file.truncate(before)
                raise DataError(
                    f"{self.path}: a reply could not be written ({error.strerror or error}). Make "
                    "room on the disk and run again; only what is missing will be asked."
                ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _parse(line: bytes, path: Path, number: int) -> Reply:
    try:
        return msgspec.convert(json.loads(line), Reply)
    except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors, too
        raise DataError(
            f"{path}, line {number}: not a reply ({error}). Delete the line; its record will "
            "be asked again."
        ) from None


def whole_length(content: bytes) -> int:
    """Measure up to where the lines are whole; the last one may lack its line feed only."""
    start = content.rfind(b"\n") + 1
    try:
        json.loads(content[start:])
    except (ValueError, RecursionError):
        return start
    return len(content)


def mend_end(path: Path) -> None:
    """Make the file end with a whole line: finish a line that only lacks its end, cut any other."""
    content = path.read_bytes()
    length = whole_length(content)
    if length < len(content):
        os.truncate(path, length)
    elif content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def _unusable(path: Path, deed: str, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be {deed} ({error.strerror or error}). Check the folder, its permissions "
        "and the room on the disk."
    )
