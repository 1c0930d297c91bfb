"""Statistics of a data set: how many, how long, which labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from haikuft.dataset.labels import labels_of
from haikuft.dataset.records import prompt_key, prompt_of, reference_of
from haikuft.dataset.tokens import BASIS, add_tokens, count_bytes, estimate_record_tokens
from haikuft.tables import Table, build_table


def describe_records(records: Sequence[Mapping[str, Any]]) -> Table:
    """Count and measure valid records, in a table of figures and their values.

    Of prompts, in which the system prompt counts, and of answers it gives the shortest, the longest
    and the median; of tokens the estimates for all records, and for the shortest, the median and
    the longest; of labels, if there are any, the records of each, most frequent first. Without
    records, all figures are zero.

    Raises:
        DataError: a record does not end with the assistant's answer.
    """
    systems = [prompt_of(record)[0] for record in records]
    turns = Counter(len(record["messages"]) for record in records)
    labels = Counter(labels_of(records) or ()).most_common()
    tokens = sorted(map(estimate_record_tokens, records), key=lambda one: one.likely)
    rows = [
        ("records", f"{len(records):,}"),
        ("different prompts", f"{len({prompt_key(record) for record in records}):,}"),
        ("different system prompts", f"{len({*systems} - {None}):,}"),
        ("records without a system prompt", f"{systems.count(None):,}"),
        ("messages in a record", ", ".join(f"{n} in {turns[n]:,}" for n in sorted(turns))),
        ("prompt, UTF-8 bytes", _describe_sizes(list(map(_prompt_bytes, records)))),
        ("answer, UTF-8 bytes", _describe_sizes([count_bytes(reference_of(r)) for r in records])),
        ("all together", str(add_tokens(tokens))),
    ]
    places = {"shortest": 0, "median": (len(tokens) - 1) // 2, "longest": -1} if tokens else {}
    rows += [(f"the {name} record", str(tokens[at])) for name, at in places.items()]
    rows.append(("basis of the tokens", BASIS))
    if labels:
        counts = ", ".join(f"{label} {number:,}" for label, number in labels)
        rows.append(("labels: records", f"{len(labels):,} labels: {counts}"))
    return build_table(rows)


def _prompt_bytes(record: Mapping[str, Any]) -> int:
    system, turns = prompt_of(record)
    return count_bytes(system or "") + sum(count_bytes(turn["content"]) for turn in turns)


def _describe_sizes(sizes: list[int]) -> str:
    shortest, middle, longest = (f(sizes or [0]) for f in (min, median, max))
    return f"{shortest:,} to {longest:,}, median {int(middle):,}"
