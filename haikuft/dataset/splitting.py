"""Splitting: training, validation and test, without leakage and the same on every machine.

Records whose prompts are the same, or differ only in upper and lower case, white space or the
width of characters, go to the same part. The order comes from digests of the prompts and the
seed, not from a random generator, so the parts depend neither on the platform, nor on the version
of Python, nor on the order of the lines.
"""

import math
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.base_models.values import Limits
from haikuft.dataset.formats import to_training
from haikuft.dataset.labels import labels_of
from haikuft.dataset.problems import count
from haikuft.dataset.records import Record, digest, measure_line, prompt_parts, write_files
from haikuft.dataset.tokens import estimate_record_tokens
from haikuft.errors import DataError, SettingsError

USUAL_SHARE = 0.15  # of the records for validation, where the model's limits allow it
FITTING = -1.0  # asks for that share, or the one next to it that fits the limits
FILE_NAMES = {"training": "train.jsonl", "validation": "validation.jsonl", "test": "test.jsonl"}


@dataclass(frozen=True, slots=True)
class Split:
    """A data set in three parts; each is shuffled.

    Attributes:
        training: What the model learns from.
        validation: What the job measures its losses on.
        test: What neither has seen, for the evaluation.
        note: What one should know about it; "" if there is nothing.
    """

    training: list[Record]
    validation: list[Record]
    test: list[Record]
    note: str = ""

    def __iter__(self) -> Iterator[list[Record]]:
        """Give the three parts in order."""
        return iter((self.training, self.validation, self.test))

    def __repr__(self) -> str:
        """Give the sizes only; the records would fill the page."""
        sizes = zip(("training", "validation", "test"), map(len, self), strict=True)
        words = ", ".join(f"{name}: {count(size, 'record')}" for name, size in sizes)
        return f"Split({words})" + (f". {self.note}" if self.note else "")


class _Group(NamedTuple):
    """Records that must stay together.

    Attributes:
        key: Their normalised prompt and the seed, as a digest.
        members: Their indices in the data set.
    """

    key: bytes
    members: list[int]


def split_records(
    records: Sequence[Record],
    *,
    validation_share: float,
    test_share: float,
    seed: int,
    base_model: BaseModel = DEFAULT,
) -> Split:
    """Divide records by shares of their number, each label as evenly as its groups allow.

    Sizes are right to one record unless there are large groups of similar prompts; training always
    keeps a record. `check_split` says whether the sizes suit a job.

    Args:
        records: Valid records, e.g. from `read_raw`.
        validation_share: From 0 to below 1; `FITTING` takes 0.15, or as many records more or fewer
            as the base model's limits ask for, and the split says so.
        test_share: From 0 to below 1; both together below 1.
        seed: Any whole number; another seed gives another split.
        base_model: Whose limits a fitting share keeps. Where it takes no validation file, that
            share stays in training.

    Raises:
        SettingsError: shares or seed cannot be used.
        DataError: a record does not end with the assistant's answer.
    """
    fits = validation_share == FITTING
    validation_share = USUAL_SHARE if fits else validation_share
    _check_settings(validation_share, test_share, seed)
    note, total, limits = "", len(records), base_model.limits
    if validation_share and not base_model.takes_validation:
        note = (
            f"{base_model.name} takes no validation file: its share of the records stays in "
            "training."
        )
        validation_share, fits = 0.0, False
    test = max(0, min(round(total * test_share), total - 1))
    usual = validation = max(0, min(round(total * validation_share), total - 1 - test))
    least, most = limits.min_records, limits.max_validation_records
    fits = fits and total - test >= 2 * least  # else no share fits, and `check_split` says so
    if fits:
        most = min(most, total - test - least)
        validation = min(max(usual, least), most)
    groups = _find_groups(records, seed)
    parts = _divide(groups, test, validation)
    while fits and len(_members(parts["validation"])) < least and validation < most:
        validation += 1  # the groups were too large for the room
        parts = _divide(groups, test, validation)
    if validation != usual:
        note = (
            f"Validation has {count(len(_members(parts['validation'])), 'record')} and not "
            f"{USUAL_SHARE:.0%} of all: {base_model.name} takes {least} to "
            f"{limits.max_validation_records:,}, and at least {least} for training."
        )
    return Split(
        **{name: [records[n] for n in _members(part)] for name, part in parts.items()}, note=note
    )


def _divide(groups: Iterable[_Group], test: int, validation: int) -> dict[str, list[_Group]]:
    """Put each group where there is room for it, else into training."""
    room = {"test": test, "validation": validation}
    parts: dict[str, list[_Group]] = {"training": [], "validation": [], "test": []}
    for group in groups:
        size = len(group.members)
        name = next((name for name, left in room.items() if size <= left), "training")
        if name != "training":
            room[name] -= size
        parts[name].append(group)
    return parts


def _members(groups: Iterable[_Group]) -> list[int]:
    """Give the indices of the groups' records, shuffled by their digests."""
    placed = (
        (digest(group.key.hex(), str(number)), member)
        for group in groups
        for number, member in enumerate(group.members)
    )
    return [member for _, member in sorted(placed)]


def group_key(record: Record) -> str:
    """Give the digest of a normalised prompt, which near-identical prompts share."""
    return digest(*map(_normalise, prompt_parts(record))).hex()


def check_split(split: Split, base_model: BaseModel = DEFAULT) -> None:
    """Check the sizes of a split against what a job takes, before anything is written.

    Checked are the number of records, the bytes, and that no record is certainly over the token
    limit. A split without validation records is allowed, and a test file has no limits.

    Raises:
        DataError: names every part that is too small or too large, and how many records or
            which share would be right.
    """
    limits = base_model.limits
    parts = [("training", limits.max_training_records, limits.max_training_bytes)]
    if split.validation and base_model.takes_validation:
        parts.append(("validation", limits.max_validation_records, limits.max_validation_bytes))
    faults = [fault for part in parts for fault in _check_part(*part, split, base_model)]
    if split.validation and not base_model.takes_validation:
        faults.append(
            f"validation has {count(len(split.validation), 'record')}, and this model takes no "
            "validation file. Give `split_records` the base model too."
        )
    total = len(split.training) + len(split.validation)
    if total > limits.max_total_records:
        faults.append(
            _too_many("training and validation together", total, limits.max_total_records)
        )
    if faults:
        raise DataError(
            f"These parts do not suit {base_model.name}. "
            + " ".join(fault[0].upper() + fault[1:] for fault in faults)
            + _name_number(split, base_model)
            + _name_shares(split, limits)
        )


def write_split(
    split: Split, folder: str | os.PathLike[str], *, base_model: BaseModel = DEFAULT
) -> dict[str, Path]:
    """Check the sizes and write the three files in the base model's format, all or none.

    Args:
        split: The three parts.
        folder: Gets train.jsonl, validation.jsonl and test.jsonl; a part without records is an
            empty file.
        base_model: Whose limits hold, and in whose format the records are written.

    Returns:
        "training", "validation" and "test", each with its file.

    Raises:
        DataError: a part is too small or too large, or cannot be written.
    """
    check_split(split, base_model)
    files = {kind: Path(folder) / name for kind, name in FILE_NAMES.items()}
    lines = [[to_training(record, base_model) for record in part] for part in split]
    write_files(dict(zip(files.values(), lines, strict=True)))
    return files


def _check_settings(validation_share: float, test_share: float, seed: int) -> None:
    faults = [
        f"{name} = {share!r}: take a number from 0 to below 1, such as 0.1."
        for name, share in (("validation_share", validation_share), ("test_share", test_share))
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1
    ]
    if not faults and validation_share + test_share >= 1:
        faults.append(
            f"validation_share = {validation_share!r} and test_share = {test_share!r} leave "
            "nothing for training: together they must stay below 1."
        )
    if isinstance(seed, bool) or not isinstance(seed, int):
        faults.append(f"seed = {seed!r}: take a whole number.")
    if faults:
        raise SettingsError("\n".join(faults))


def _find_groups(records: Sequence[Record], seed: int) -> list[_Group]:
    """Group near-identical prompts, so ordered that any slice has every label in its proportion.

    Within its label each group gets a position from 0 to 1, and all are sorted by that.
    """
    labels = labels_of(records) or [""] * len(records)
    members: defaultdict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        members[group_key(record)].append(number)
    strata: defaultdict[str, list[_Group]] = defaultdict(list)
    for group in sorted(_Group(digest(str(seed), key), them) for key, them in members.items()):
        counts = Counter(labels[number] for number in group.members)
        strata[min(counts, key=lambda label: (-counts[label], label))].append(group)
    placed: list[tuple[float, _Group]] = []
    for groups in strata.values():
        sizes = [len(group.members) for group in groups]
        total = sum(sizes)
        for group, size, end in zip(groups, sizes, accumulate(sizes), strict=True):
            placed.append(((end - size / 2) / total, group))
    return [group for _, group in sorted(placed)]


def _normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _check_part(
    name: str, most_records: int, most_bytes: int | None, split: Split, base_model: BaseModel
) -> Iterator[str]:
    """Say what is wrong with the size of "training" or "validation"."""
    limits = base_model.limits
    part = split.training if name == "training" else split.validation
    if len(part) < (least := limits.min_records):
        yield f"{name} has {count(len(part), 'record')}, fewer than the {least} a job needs."
    if len(part) > most_records:
        yield _too_many(name, len(part), most_records)
    if most_bytes is not None:
        size = sum(measure_line(to_training(record, base_model)) for record in part)
        if size > most_bytes:
            yield (
                f"{name} would be {size:,} bytes, more than the {most_bytes:,} allowed. "
                "Take fewer or shorter records."
            )
    most_tokens = limits.max_record_tokens
    if over := sum(estimate_record_tokens(record).low > most_tokens for record in part):
        yield (
            f"{name} has {count(over, 'record')} certainly longer than the {most_tokens:,} tokens "
            "allowed. Shorten or divide the longest."
        )


def _too_many(name: str, size: int, most: int) -> str:
    return f"{name} has {count(size, 'record')}, more than the {most:,} allowed. Take fewer."


def _name_number(split: Split, base_model: BaseModel) -> str:
    """Say how many records are needed where a part has too few; "" where none has.

    The shares are to blame only where as many records, divided in another way, would do.
    """
    least, total, test = base_model.limits.min_records, sum(map(len, split)), len(split.test)
    sizes = [len(split.training)]
    if split.validation and base_model.takes_validation:
        sizes.append(len(split.validation))
    if min(sizes) >= least:
        return ""
    needed = math.ceil(len(sizes) * least * total / (total - test)) if total > test else least
    if needed > total:
        beside = f", {test / total:.0%} of them for the test," if test else ""
        return f" At least {needed:,} records are needed{beside} and there are {total:,}."
    needed = math.ceil(least * total / max(min(sizes), 1))
    return f" With these shares {needed:,} records are needed and there are {total:,}."


def _name_shares(split: Split, limits: Limits) -> str:
    """Name the shares next to those of a split that fit; "" where its own do, or none does.

    Shares are thousandths up to 0.5, written as options of the command line, too. A split keeps
    its validation part where it can, and one share is changed rather than two.
    """
    total, given = sum(map(len, split)), (len(split.validation), len(split.test))
    shares = {round(total * (n / 1000)): n / 1000 for n in reversed(range(501))}
    least = limits.min_records

    def fits(sizes: tuple[int, int]) -> bool:
        validation, training = sizes[0], total - sum(sizes)
        return least <= training <= min(
            limits.max_training_records, limits.max_total_records - validation
        ) and (not validation or least <= validation <= limits.max_validation_records)

    def distance(sizes: tuple[int, int]) -> tuple[bool, int, int]:
        moved = [abs(size - old) for size, old in zip(sizes, given, strict=True)]
        return sizes[0] == 0 < given[0], sum(map(bool, moved)), sum(moved)

    kept = {given[0], 0, min((size for size in shares if size >= least), default=0)}
    pairs = [(size, given[1]) for size in shares] + [(v, test) for v in kept for test in shares]
    best = min(filter(fits, pairs), key=distance, default=given)
    steps = [
        f"set {name} to {shares[size]:g}, the {'largest' if size < old else 'smallest'} that fits "
        f"(-p {name} {shares[size]:g})"
        for name, size, old in zip(("validation_share", "test_share"), best, given, strict=True)
        if size != old
    ]
    return f" Otherwise {' and '.join(steps)}." if steps else ""
