"""The history of a playground: prompts and replies, one JSON object a line in the run's folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haikuft.errors import DataError
from haikuft.files import JsonLinesFile, read_json_lines
from haikuft.html import build_block, escape, visible
from haikuft.inference.replies import Reply
from haikuft.tables import Table, build_table

FILE_NAME = "playground.jsonl"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One prompt, and each model's reply.

    Attributes:
        asked_at: UTC, ISO 8601.
        prompt: The last turn of what was asked.
        system: The system prompt; "" for none.
        replies: Model's name, such as "base", -> its reply, or the error with the text that
            came before it.
        record_id: The test record whose prompt it is; "" for a prompt of one's own.
        reference: The answer in that record.
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
        lines += [f"Reference: {self.reference}"] if self.reference else []
        return visible("\n".join(lines))

    def _repr_html_(self) -> str:
        prompt = f'<p style="white-space:pre-wrap"><b>Prompt</b> {escape(self.prompt)}</p>'
        reference = f"<p><b>Reference</b> {escape(self.reference)}</p>" if self.reference else ""
        return build_block(f"{prompt}{self.table._repr_html_()}{reference}")


def describe_reply(reply: Reply) -> str:
    """Write a reply's text, and its error where there is one."""
    if reply.error is None:
        return reply.text
    return f"{reply.text} ⚠ {reply.error}".strip()


def describe_figures(reply: Reply) -> str:
    """Write a reply's tokens and times in one line."""
    first = describe_seconds(reply.first_seconds)
    whole = describe_seconds(reply.latency_seconds)
    return f"tokens {describe_tokens(reply)}; first text after {first}, whole after {whole}"


def describe_tokens(reply: Reply) -> str:
    """Write the tokens read and written; they are not known of a reply that failed."""
    if reply.error is not None:
        return "not known"
    return f"{reply.input_tokens:,} read, {reply.output_tokens:,} written"


def describe_seconds(seconds: float | None) -> str:
    """Write a time in seconds, "no text" for None."""
    return "no text" if seconds is None else f"{seconds:.2f} s"


def append_exchange(path: Path, exchange: Exchange) -> None:
    """Add one line, and return only when it is on the disk: on AWS the replies were paid for.

    Raises:
        DataError: the disk refuses.
    """
    try:
        with JsonLinesFile(path) as file:
            file.append(exchange)
    except DataError as error:
        raise DataError(f"{error} The replies above are not kept.") from error


def read_exchanges(path: Path) -> list[Exchange]:
    """Read what was asked so far, oldest first; an absent file has none.

    Raises:
        DataError: a line is not an exchange; names file and line.
    """
    return read_json_lines(path, Exchange, what="a question and its replies")
