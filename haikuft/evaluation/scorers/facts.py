"""Facts of a reply held against the reference: numbers, dates, times, codes, addresses, and names.

Facts are compared by what they mean: "1,500.00 EUR" is "€1500", "5 May 2024" is "2024-05-05". A
name counts only as a word of the prompt, for elsewhere a capital letter is no sign of a name. A
fact of the reply that neither the reference nor the prompt has is invented; one that stands in the
place of a fact of the reference contradicts it. Both are wrong. A fact of the reference that the
reply has not is left out. The numbers of a list are no facts. Names of months are known in English,
German, French and Spanish, words for numbers and units in English; units are not converted into one
another.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import regex

from haikuft.dataset.records import Record, question_of, reference_of
from haikuft.package_data import read_toml

_TEXTS = read_toml(__package__, "facts.toml")
_MONTHS = {name: at for at, names in enumerate(_TEXTS["months"], 1) for name in names.split()}
_UNITS = {name: names.split()[0] for names in _TEXTS["units"] for name in names.split()}
_FACTORS, _NUMBERS = _TEXTS["factors"], _TEXTS["numbers"]
_Groups = Mapping[str, str]


def _compile(pattern: str) -> "regex.Pattern[str]":
    r"""Compile a pattern with its parts; `\\L<units>` in it is any of the units, and so on."""
    whole = regex.sub(r"\{([a-z]+)\}", lambda part: _TEXTS["parts"][part[1]], pattern)
    words = {"months": _MONTHS, "units": _UNITS, "factors": _FACTORS, "numbers": _NUMBERS}
    return regex.compile(whole, regex.I, ignore_unused=True, **words)


_PATTERNS = [(kind, _compile(one)) for kind, some in _TEXTS["patterns"].items() for one in some]
# Letters that may follow a number without a space and make no code of it.
_ATTACHED = r"st|nd|rd|th|k|[kcm]?m|[km]?g|m?l|hrs?|h|min|m?s|[kmgt]b|k?wh?|hz|x|px|pt|c|f"
_LETTERS_AND_DIGITS = regex.compile(r"[a-z][-_/.#:]?\d|\d[a-z]", regex.I)
_WITH_UNIT = regex.compile(rf"\d+(?:[.,]\d+)?(?:{_ATTACHED})", regex.I)
_LISTED = regex.compile(r"^[ \t*#]*(?:Step )?(\d\d?)[.):]\**\s", regex.M)
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_ASCII = {ord(odd): plain for odd, plain in zip("−–’٫٬", "--'.,", strict=True)}
_OF_NUMBERS = {"number", "word"}  # the kinds that are numbers
_LONGEST = 20_000  # characters of a text that are read
_WINDOW = 40  # characters in which the words beside a fact are looked for
_TAKEN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a text.

    Attributes:
        kind: "number", "date", "time", "weekday", "code", "address" (of mail or the web), "name",
            or "word": a number in words, which may be no more than a way of speaking.
        readings: What it may mean, for "3/4/2024" and "1,234" may mean two things. A date is
            (year, month, day), None where it is not said; a time is minutes after midnight.
        text: As it stands in the text.
        unit: Of a number: "%", the sign of a currency, or a unit such as "days"; "" for any.
        parts: The numbers in it, by which it may be called for short.
        near: The word before it and the word after it; "" at the end of a text.
    """

    kind: str
    readings: frozenset[Any]
    text: str
    unit: str = ""
    parts: frozenset[Any] = frozenset()
    near: tuple[str, str] = ("", "")


def check_facts(record: Record, reply: str) -> tuple[list[str], list[str]]:
    """List the wrong facts of a reply, and those of the reference that it leaves out."""
    return _check(question_of(record), reference_of(record), reply)


def right_facts(record: Record, reply: str, *, complete: bool = False) -> float:
    """Score 1.0 when the reply has no wrong fact; `complete`: and leaves out none, either."""
    wrong, left_out = check_facts(record, reply)
    return float(not wrong and not (complete and left_out))


def left_out_facts(record: Record, reply: str) -> float:
    """Score 1.0 when the reply leaves out a fact of the reference."""
    return float(bool(check_facts(record, reply)[1]))


def find_facts(text: str, names: Iterable[str] = ()) -> list[Fact]:
    """Find the facts of a text, by kind.

    Args:
        text: In any script; digits of all scripts are digits.
        names: The names that are looked for, in lower case.
    """
    text = rest = _plain(text[:_LONGEST])
    found: list[Fact] = []

    def take(kind: str, match: "regex.Match[str]") -> str:
        groups = {name: value for name, value in match.groupdict().items() if value}
        if not (readings := frozenset(_READERS[kind](groups, match[0]))):
            return str(match[0])
        unit = _UNITS.get(groups.get("before", groups.get("after", "")).lower(), "")
        parts = frozenset(_list_parts(kind, readings))
        found.append(Fact(kind, readings, match[0], unit, parts, _near(text, *match.span())))
        return _TAKEN * len(match[0])

    for kind, pattern in _PATTERNS:
        rest = pattern.sub(partial(take, kind), rest)
    wanted = set(names)
    for match in _WORD.finditer(rest):
        if match[0].lower() in wanted:
            near = _near(text, *match.span())
            found.append(Fact("name", frozenset({match[0].lower()}), match[0], near=near))
    return found


@lru_cache(maxsize=4)  # several scorers ask about one reply in a row
def _check(prompt: str, reference: str, reply: str) -> tuple[list[str], list[str]]:
    names = _find_names(prompt, reference, reply)
    known, expected, given = (find_facts(text, names) for text in (prompt, reference, reply))
    missing = [fact for fact in expected if not _has(given, fact)]
    added = [fact for fact in given if not _has(expected, fact)]
    # "The 5th" for a date, "3 pm" for "at 3": a part may stand for a fact that is not there whole.
    # But 3 pm stands in the place of another time that was expected, and not of any 3.
    kinds = {fact.kind for fact in missing} - _OF_NUMBERS
    for_parts = [
        (one, other)
        for one in missing
        for other in added
        if other.kind not in kinds and _shares_part(one, other)
    ]
    missing = [fact for fact in missing if not any(fact is one for one, _ in for_parts)]
    added = [fact for fact in added if not any(fact is other for _, other in for_parts)]
    wrong = [
        fact.text
        for fact in added
        if any(_replaces(fact, other) for other in missing)
        or (fact.kind not in ("name", "word") and not _has(known, fact))
    ]
    left_out = [fact for fact in missing if fact.kind not in ("name", "word")]
    # What the prompt says need not be said again, unless the reply says nothing of it all.
    if len(missing) < len(expected):
        left_out = [fact for fact in left_out if not _has(known, fact)]
    return wrong, [fact.text for fact in left_out]


def _replaces(fact: Fact, missing: Fact) -> bool:
    """Whether a fact has the unit of a missing one of its kind, or stands beside the same word.

    "Third floor" stands for "floor 4"; a short word, such as "of", must be on the same side.
    """
    kinds = {"number" if kind == "word" else kind for kind in (fact.kind, missing.kind)}
    beside = any(a == b != "" for a, b in zip(fact.near, missing.near, strict=True))
    beside = beside or any(len(word) > 3 for word in {*fact.near} & {*missing.near})
    beside = beside or (fact.unit == missing.unit and fact.unit.isalpha())
    return len(kinds) == 1 and (beside or fact.near == missing.near)


def _has(facts: Sequence[Fact], fact: Fact) -> bool:
    return any(_agree(fact, other) for other in facts)


def _agree(one: Fact, other: Fact) -> bool:
    """Whether two facts may mean the same."""
    if one.unit != other.unit and ("%" in (one.unit, other.unit) or (one.unit and other.unit)):
        return False
    if one.kind == other.kind == "date":
        return any(
            all(a is None or b is None or a == b for a, b in zip(first, second, strict=True))
            for first in one.readings
            for second in other.readings
        )
    same = one.kind == other.kind or {one.kind, other.kind} == {"number", "word"}
    return same and not one.readings.isdisjoint(other.readings)


def _shares_part(one: Fact, other: Fact) -> bool:
    """Whether one is a number that is a part of the other, such as the day of a date."""
    return any(
        number.kind in _OF_NUMBERS
        and number.unit in ("", "hours")
        and not number.readings.isdisjoint(fact.parts)
        for number, fact in ((one, other), (other, one))
    )


def _read_date(groups: _Groups, _: str) -> Iterator[tuple[int | None, ...]]:
    year = int(groups["year"]) if "year" in groups else None
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    day = int(groups["day"]) if "day" in groups else None
    month = _MONTHS.get(groups.get("month", "").lower()) or int(groups.get("number", 0))
    pairs = [(month, day)]
    if "one" in groups:
        one, two = int(groups["one"]), int(groups["two"])
        pairs = [(one, two), (two, one)]
    for number, of_month in pairs:
        if 1 <= number <= 12 and (of_month is None or 1 <= of_month <= 31):
            yield (year, number, of_month)


def _read_time(groups: _Groups, _: str) -> Iterator[int]:
    if named := groups.get("named", "").lower():
        yield from (0, 1440) if named == "midnight" else (720,)
        return
    hour, minute = int(groups["hour"]), int(groups.get("minute", 0))
    if "half" in groups:
        hour = hour % 12 + (12 if groups["half"].lower() == "p" else 0)
    if hour <= 24 and minute < 60:
        yield 60 * hour + minute


def _read_number(groups: _Groups, _: str) -> Iterator[Decimal]:
    """Read a number; one comma or point before three digits may part thousands or decimals."""
    digits = regex.sub("[' ]", "", groups["digits"])
    factor = _FACTORS.get(groups.get("times", "").lower(), 1) * (-1 if "sign" in groups else 1)
    marks = [mark for mark in digits if mark in ".,"]
    whole = digits.replace(",", "").replace(".", "")
    before, _, after = digits.rpartition(marks[-1]) if marks else (digits, "", "")
    if not marks or (len(set(marks)) == 1 and (len(marks) > 1 or len(after) == 3)):
        yield Decimal(whole) * factor
    if len(marks) == 1 or len(set(marks)) > 1:
        yield Decimal(f"{regex.sub('[.,]', '', before)}.{after}") * factor


def _read_words(groups: _Groups, _: str) -> Iterator[Decimal]:
    first, second = (_NUMBERS.get(groups.get(name, "").lower(), 0) for name in ("first", "second"))
    if not second or first >= 20:
        yield Decimal((first + second) * _FACTORS.get(groups.get("times", "").lower(), 1))


def _read_code(_: _Groups, text: str) -> Iterator[str]:
    if _LETTERS_AND_DIGITS.search(text) and not _WITH_UNIT.fullmatch(text):
        yield regex.sub("[^a-z0-9]", "", text.lower())


def _read_address(_: _Groups, text: str) -> Iterator[str]:
    yield regex.sub(r"^https?://|^www\.|[./,;:!?]+$", "", text.lower())


_READERS: dict[str, Any] = {
    "address": _read_address,
    "date": _read_date,
    "time": _read_time,
    "weekday": lambda groups, _: [groups["weekday"].lower()],
    "number": _read_number,
    "code": _read_code,
    "word": _read_words,
}


def _list_parts(kind: str, readings: Iterable[Any]) -> Iterator[Decimal]:
    for reading in readings:
        if kind == "date":
            yield from (Decimal(part) for part in reading if part is not None)
        elif kind == "time" and reading % 60 == 0:
            yield from (Decimal(reading // 60), Decimal(reading // 60 % 12))
        elif kind == "code":
            yield from map(Decimal, regex.findall(r"\d+", reading))


def _find_names(prompt: str, *texts: str) -> set[str]:
    """Find the prompt's words that have a capital letter within a sentence of any of the texts."""
    capital = regex.compile(r"(?<=[\p{L}\p{N},;)'\"] )\p{Lu}[\p{L}\p{M}]+")
    within = {match.lower() for text in (prompt, *texts) for match in capital.findall(text)}
    return {word.lower() for word in regex.findall(r"\p{Lu}[\p{L}\p{M}]+", prompt)} & within


def _plain(text: str) -> str:
    """Write digits, spaces and minus signs of all kinds as ASCII has them (NFKC).

    Numbers of a list, which are 1 or follow the one before, are left out.
    """
    text = unicodedata.normalize("NFKC", text)
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    listed = [int(number) for number in _LISTED.findall(text)]
    if len(listed) > 1 and all(n in (1, before + 1) for before, n in pairwise([0, *listed])):
        text = _LISTED.sub("\n", text)
    text = regex.sub(r"\s", " ", text.translate(_ASCII))
    text = regex.sub(r"\bminus (?=[\d.,]+ ?(?:°|degrees))", "-", text, flags=regex.I)
    return text.replace("per cent", "percent")


def _near(text: str, start: int, end: int) -> tuple[str, str]:
    before = _WORD.findall(text[max(0, start - _WINDOW) : start])
    after = _WORD.findall(text[end : end + _WINDOW])
    return (before[-1].lower() if before else "", after[0].lower() if after else "")
