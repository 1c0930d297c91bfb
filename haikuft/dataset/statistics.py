"""Statistics of a data set: how many, how long, which labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from haikuft.dataset.labels import labels_of
from haikuft.dataset.records import prompt_key, prompt_of, reference_of
from haikuft.dataset.tokens import (
    BASIS,
    TokenRange,
    add_tokens,
    count_bytes,
    estimate_record_tokens,
)
from haikuft.errors import wrap
from haikuft.tables import build_table


@dataclass(frozen=True, slots=True)
class Spread:
    """Shortest, middle and longest of a number of texts, in UTF-8 bytes."""

    shortest: int
    middle: int
    longest: int

    def __str__(self) -> str:
        return f"{self.shortest:,} to {self.longest:,}, median {self.middle:,}"


@dataclass(frozen=True, slots=True, repr=False)
class Statistics:
    """What a data set holds. A notebook shows it as a table.

    Attributes:
        records: Their number.
        prompts: Different prompts among them.
        system_prompts: Different system prompts; records without one do not count.
        without_system: Records without a system prompt.
        turns: Number of turns -> records that have so many.
        prompt_bytes: Length of the prompts, system prompt included.
        answer_bytes: Length of the answers.
        tokens: Estimate for all records together.
        record_tokens: Estimate for each record, in their order.
        labels: Label -> records that have it, most frequent first; empty if there are none.
    """

    records: int
    prompts: int
    system_prompts: int
    without_system: int
    turns: Mapping[int, int] = field(hash=False)
    prompt_bytes: Spread
    answer_bytes: Spread
    tokens: TokenRange
    record_tokens: tuple[TokenRange, ...]
    labels: Mapping[str, int] = field(hash=False)

    def rows(self) -> list[tuple[str, str]]:
        """Name and value of each figure, as words."""
        turns = ", ".join(f"{number} in {records:,}" for number, records in self.turns.items())
        rows = [
            ("records", f"{self.records:,}"),
            ("different prompts", f"{self.prompts:,}"),
            ("different system prompts", f"{self.system_prompts:,}"),
            ("records without a system prompt", f"{self.without_system:,}"),
            ("messages in a record", turns),
            ("prompt, UTF-8 bytes", str(self.prompt_bytes)),
            ("answer, UTF-8 bytes", str(self.answer_bytes)),
            *self._token_rows(),
        ]
        if self.labels:
            counts = ", ".join(f"{label} {records:,}" for label, records in self.labels.items())
            rows.append(("labels: records", f"{len(self.labels):,} labels: {counts}"))
        return rows

    def _token_rows(self) -> list[tuple[str, str]]:
        rows = [("all together", str(self.tokens))]
        if self.record_tokens:
            ordered = sorted(self.record_tokens, key=lambda tokens: tokens.likely)
            rows += [
                ("the shortest record", str(ordered[0])),
                ("the median record", str(ordered[(len(ordered) - 1) // 2])),
                ("the longest record", str(ordered[-1])),
            ]
        return [*rows, ("basis of the tokens", BASIS)]

    def __repr__(self) -> str:
        return "\n".join(wrap(f"{name}: {value}") for name, value in self.rows())

    def _repr_html_(self) -> str:
        return build_table(self.rows())._repr_html_()


def describe_records(records: Sequence[Mapping[str, Any]]) -> Statistics:
    """Count and measure valid records; without records, all figures are zero.

    Raises:
        DataError: a record does not end with the assistant's answer.
    """
    systems = [prompt_of(record)[0] for record in records]
    tokens = tuple(estimate_record_tokens(record) for record in records)
    turns = Counter(len(record["messages"]) for record in records)
    return Statistics(
        records=len(records),
        prompts=len({prompt_key(record) for record in records}),
        system_prompts=len(set(systems) - {None}),
        without_system=systems.count(None),
        turns=dict(sorted(turns.items())),
        prompt_bytes=_spread([_prompt_bytes(record) for record in records]),
        answer_bytes=_spread([count_bytes(reference_of(record)) for record in records]),
        tokens=add_tokens(tokens),
        record_tokens=tokens,
        labels=dict(Counter(labels_of(records) or ()).most_common()),
    )


def _prompt_bytes(record: Mapping[str, Any]) -> int:
    system, turns = prompt_of(record)
    return count_bytes(system or "") + sum(count_bytes(turn["content"]) for turn in turns)


def _spread(sizes: list[int]) -> Spread:
    return Spread(min(sizes), int(median(sizes)), max(sizes)) if sizes else Spread(0, 0, 0)
