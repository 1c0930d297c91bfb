"""What a command says in its last lines, held against what the account holds."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

# How the last lines call each kind of thing that bills, as regular expressions.
NOUNS = {
    "throughput": r"Provisioned Throughput",
    "job": r"customization job",
    "model": r"custom model(?! deployment)",
    "bucket": r"S3 (?:objects|bucket)|bucket",
}
_LISTED = re.compile(
    r"^\s+(Provisioned Throughput|customization job|custom model(?! deployment)|S3 objects)"
    r" ([\w.+-]+)"
)
# How they are called in the list of what was deleted.
_DELETED = {
    "throughput": r"[Tt]hroughput",
    "job": r"job",
    "model": r"custom model",
    "deployment": r"deployment",
    "bucket": r"bucket",
    "role": r"role",
}
_OWNER = re.compile(r"owner id ([0-9a-f]{16})")
_KINDS = {
    "Provisioned Throughput": "throughput",
    "customization job": "job",
    "custom model": "model",
    "S3 objects": "bucket",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that the account holds; `shown` is all that AWS tells of it, tags included."""

    kind: str
    name: str
    arn: str
    status: str
    bills: bool
    shown: str


class Printed(Protocol):
    """What a command printed."""

    @property
    def status(self) -> int:
        """Its exit status."""

    @property
    def out(self) -> str:
        """Its standard output."""

    @property
    def text(self) -> str:
        """All of it."""


def find_untruths(
    done: Printed, held: Mapping[str, Thing], others: Mapping[str, Thing], unreadable: bool
) -> list[str]:
    """Say what in a command's last lines is not so, or is missing."""
    if done.status == 2:  # misused: nothing was run
        return []
    block = billing_block(done.out)
    if not block:
        return [f"no word about what bills: {' '.join(done.text.split())[-200:]}"]
    ours = [thing for thing in held.values() if thing.arn not in others]
    return [
        *_left_out(block, [thing for thing in ours if thing.bills]),
        *_not_there(block, held.values(), others),
        *_wrong_sums(block),
        *(
            ["says that nothing bills, and may not read all"]
            if unreadable and _nothing(block)
            else []
        ),
        *_not_gone(done.text, ours),
    ]


def billing_block(out: str) -> list[str]:
    """Take the lines from the last one that says what bills on."""
    lines = out.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("Billing now")]
    return lines[starts[-1] :] if starts else []


def _nothing(block: Iterable[str]) -> bool:
    return any(re.match(r"Billing now: nothing", line) for line in block)


def _left_out(block: list[str], billing: list[Thing]) -> list[str]:
    """Name what bills and is neither listed nor said to be not known."""
    if any(re.match(r"Billing now: not known", line) for line in block):
        return []
    faults = []
    for thing in billing:
        noun = NOUNS[thing.kind]
        names = "|".join(re.escape(name) for name in (thing.name, thing.arn.rpartition("/")[2]))
        listed = rf"(?:{noun}).*(?<![\w-])(?:{names})(?![\w-])"
        unknown = rf"not known.*(?:{noun})|(?:{noun}).*(?:not known|may not)"
        if not any(re.search(f"{listed}|{unknown}", line) for line in block):
            faults.append(f"leaves out {thing.kind} {thing.name}, which is {thing.status}")
    if billing and not any("clean-up" in line for line in block):
        faults.append("names no command that ends what bills")
    return faults


def _not_there(block: list[str], held: Iterable[Thing], others: Mapping[str, Thing]) -> list[str]:
    """Name what is listed as billing and is not there, or is another person's."""
    things = list(held)
    faults, owner = [], ""
    for line in block:
        heading = _OWNER.search(line)
        owner = heading.group(1) if heading else owner
        found = _LISTED.match(line)
        if found is None or "not known" in line:
            continue
        kind, name = _KINDS[found.group(1)], found.group(2)
        same = [t for t in things if t.kind == kind and name in (t.name, t.arn.rpartition("/")[2])]
        if not same:
            faults.append(f"lists {kind} {name}, which is not there")
        elif all(t.arn in others and not (owner and owner in t.shown) for t in same):
            faults.append(f"lists {kind} {name}, which is another's")
    return faults


def _wrong_sums(block: list[str]) -> list[str]:
    """Name a sum that takes a price in that nobody knows."""
    return [
        f"sums up an unknown price: {line.strip()}"
        for line in block
        if "less than US$0.01" in line and "unknown" in line
    ]


def _not_gone(text: str, ours: list[Thing]) -> list[str]:
    """Name what is said to be deleted, and is there; the entry of a job never goes."""
    _, _, after = text.partition("Made, and deleted again:")
    said = list(takewhile(lambda line: line.startswith("  "), after.splitlines()[1:]))
    said += re.findall(r"Provisioned Throughput \S+ is deleted", text)
    return [
        f"says that {thing.kind} {thing.name} is deleted, which is there"
        for thing in ours
        for line in said
        if re.search(rf"{_DELETED[thing.kind]} {re.escape(thing.name)}(?![\w-])", line)
    ]
