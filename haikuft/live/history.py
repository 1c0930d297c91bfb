"""What was asked in a playground, and what came back: kept in the run, only ever added to."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

import msgspec

from haikuft.errors import DataError
from haikuft.replies import Reply, mend_end, whole_length
from haikuft.tables import Table, build_table

FILE_NAME = "playground.jsonl"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One prompt, and what each model made of it.

    Attributes:
        asked_at: UTC, ISO 8601.
        prompt: The last turn of what was asked.
        system: The system prompt; "" for none.
        replies: Model's name, such as "base", -> its reply, or the error in its place with what
            had come until then.
        record_id: The test record whose prompt it is; "" for a prompt of one's own.
        reference: What that record has as its answer.
    """

    asked_at: str
    prompt: str
    system: str
    replies: Mapping[str, Reply]
    record_id: str = ""
    reference: str = ""

    @property
    def table(self) -> Table:
        """The models side by side: text, tokens, times."""
        replies = list(self.replies.values())
        rows = [
            ("reply", *(describe_reply(reply) for reply in replies)),
            ("tokens read, written", *(describe_tokens(reply) for reply in replies)),
            ("first text after", *(describe_seconds(reply.first_seconds) for reply in replies)),
            ("whole after", *(describe_seconds(reply.latency_seconds) for reply in replies)),
        ]
        return build_table(rows, "", *self.replies)

    def __repr__(self) -> str:
        lines = [f"Prompt: {self.prompt}"]
        for name, reply in self.replies.items():
            lines.append(f"{name}: {describe_reply(reply)}")
            lines.append(f"  ({describe_figures(reply)})")
        return "\n".join([*lines, f"Reference: {self.reference}"] if self.reference else lines)

    def _repr_html_(self) -> str:
        prompt = f"<p><b>Prompt</b> {escape(self.prompt)}</p>"
        reference = f"<p><b>Reference</b> {escape(self.reference)}</p>" if self.reference else ""
        return f"{prompt}{self.table._repr_html_()}{reference}"


def describe_reply(reply: Reply) -> str:
    """Write a reply's text; one that broke off with its reason."""
    if reply.error is None:
        return reply.text
    return f"{reply.text} ⚠ {reply.error}".strip()


def describe_figures(reply: Reply) -> str:
    """Write a reply's tokens and times in one line."""
    first = describe_seconds(reply.first_seconds)
    whole = describe_seconds(reply.latency_seconds)
    return f"tokens {describe_tokens(reply)}; first text after {first}, whole after {whole}"


def describe_tokens(reply: Reply) -> str:
    """Write the tokens read and written; a reply that broke off has not been told them."""
    if reply.error is not None:
        return "not told"
    return f"{reply.input_tokens:,} read, {reply.output_tokens:,} written"


def describe_seconds(seconds: float | None) -> str:
    """Write a time for reading."""
    return "no text" if seconds is None else f"{seconds:.2f} s"


def append_exchange(path: Path, exchange: Exchange) -> None:
    """Add one line at once, and see it on disk: on AWS it was paid for.

    Raises:
        DataError: the disk refuses.
    """
    line = json.dumps(asdict(exchange), ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            mend_end(path)
        with path.open("ab") as file:
            file.write(line.encode(errors="backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror or error}). Check the folder, its "
            "permissions and the room on the disk; the replies above are not kept."
        ) from error


def read_exchanges(path: Path) -> list[Exchange]:
    """Read what was asked so far, oldest first; an absent file has none.

    Raises:
        DataError: a line is none; names file and line.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}). Check its permissions."
        ) from error
    lines = content[: whole_length(content)].split(b"\n")
    return [_parse(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]


def _parse(line: bytes, path: Path, number: int) -> Exchange:
    try:
        return msgspec.convert(json.loads(line), Exchange)
    except (ValueError, RecursionError) as error:  # msgspec's are ValueErrors, too
        raise DataError(
            f"{path}, line {number}: not a question and its replies ({error}). Delete the line."
        ) from None
