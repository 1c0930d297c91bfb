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

_MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
)
_MONTH_OF = {
    name[:length]: at
    for names in reversed(_MONTHS)
    for length in ((3, 4, 10) if names in _MONTHS[:2] else (10,))  # "Jan", "Sept", "January"
    for at, name in enumerate(names.split(), 1)
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_WORDS = {word: at for at, word in enumerate(_SMALL.split())}
_WORDS |= {word: at for at, word in enumerate(_ORDINALS.split(), 1)}
_WORDS |= {word: 10 * at for at, word in enumerate(_TENS.split(), 2)}
_TIMES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "k": 1_000}
_NAMES_OF_UNITS = (
    "% percent; € eur euro euros; $ usd dollar dollars; £ gbp pound pounds; ¥ jpy yen 円; "
    "seconds second secs sec; minutes minute mins min; hours hour hrs hr h; days day; weeks week; "
    "months month; years year; g gram grams; kg kilogram kilograms; km kilometres kilometers; "
    "cm; mm; ml; mb; gb; tb"
)
_UNITS = {name: names.split()[0] for names in _NAMES_OF_UNITS.split(";") for name in names.split()}
_Groups = Mapping[str, str]


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(regex.escape, words), key=len, reverse=True))


_MONTH = rf"\b(?<month>{_any_of(_MONTH_OF)})\b\.?"
_YEAR = r"(?<year>\d{4})(?!\d)"
_DAY = r"(?<day>\d{1,2})(?:st|nd|rd|th|er|\.)?(?![\d:])"
_HALF = r"\s?(?<half>[ap])\.?m\b\.?"
_SIGNS = "%€$£¥"
_GROUPED = r"\d{1,3}(?<mark>[,.' ])\d{3}(?:(?P=mark)\d{3})*(?:[.,]\d+)?(?!\d)"
_INDIAN = r"\d{1,2}(?:,\d\d){1,6},\d{3}(?:\.\d+)?(?!\d)"
_FACTOR = rf"(?:\s?(?<times>{_any_of(_TIMES)})\b)?"
_UNIT = rf"(?:\s?(?<after>{_any_of(_UNITS)})(?!\w))?"
# Letters that may follow a number without a space and make no code of it.
_ATTACHED = r"st|nd|rd|th|k|[kcm]?m|[km]?g|m?l|hrs?|h|min|m?s|[kmgt]b|k?wh?|hz|x|px|pt|c|f"
_SOURCES = {
    "address": [
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?:https?://|www\.)[^\s<>\"')\]]+",
    ],
    "date": [
        rf"(?<!\d){_YEAR}([-/.])(?<number>\d\d?)\2(?<day>\d\d?)(?!\d)",
        r"(?<![\d.])(?<one>\d\d?)([-/.])(?<two>\d\d?)\2(?<year>\d{4}|\d\d)(?!\d|\.\d)",
        r"(?:(?<year>\d{4})\s?[年년]\s?)?(?<number>\d\d?)\s?[月월]\s?(?<day>\d\d?)\s?[日일号]",
        rf"(?<![\d.,:]){_DAY}\s(?:of\s|de\s)?{_MONTH}(?:,?\s(?:de\s)?{_YEAR})?",
        rf"{_MONTH}\s{_DAY}(?:,?\s{_YEAR})?",
        rf"{_MONTH},?\s(?:de\s)?{_YEAR}",
    ],
    "time": [
        rf"(?<![\d:])(?<hour>\d\d?)[:h](?<minute>\d\d)(?!\d)(?:{_HALF})?",
        rf"(?<![\d.,:])(?<hour>\d\d?)\.(?<minute>\d\d)(?:{_HALF}|\s(?:uhr|o'clock)\b)",
        r"\b(?:12\s)?(?<named>noon|midday|midnight)\b",
        r"(?<hour>\d\d?)\s?[時时点點시](?:\s?(?<minute>\d\d)\s?[分분])?",
        rf"(?<![\d.,:])(?<hour>\d\d?){_HALF}",
    ],
    "weekday": [rf"\b(?<weekday>{'|'.join(_DAYS)})s?\b"],
    "code": [r"(?<![a-z0-9])[a-z0-9]+(?:[-_/.#:][a-z0-9]+)*"],
    "number": [
        rf"(?<sign>(?<!\S)-)?(?:(?<before>[{_SIGNS}])\s?)?"
        rf"(?<digits>{_INDIAN}|{_GROUPED}|\d+(?:[.,]\d+)?)"
        rf"{_FACTOR}{_UNIT}"
    ],
    "word": [
        rf"\b(?<first>{_any_of(_WORDS)})(?:[- ](?<second>{_any_of(_SMALL.split()[1:10])}))?\b"
        rf"{_FACTOR}{_UNIT}"
    ],
}
# In this order: what comes first takes its characters.
_PATTERNS = [
    (kind, regex.compile(source, regex.I))
    for kind, sources in _SOURCES.items()
    for source in sources
]
_LETTERS_AND_DIGITS = regex.compile(r"[a-z][-_/.#:]?\d|\d[a-z]", regex.I)
_WITH_UNIT = regex.compile(rf"\d+(?:[.,]\d+)?(?:{_ATTACHED})", regex.I)
_LISTED = regex.compile(r"^[ \t*#]*(?:Step )?(\d\d?)[.):]\**\s", regex.M)
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_ASCII = {ord(odd): plain for odd, plain in zip("−–’٫٬", "--'.,", strict=True)}
_NUMBERS = {"number", "word"}  # the kinds that are numbers
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
    kinds = {fact.kind for fact in missing} - _NUMBERS
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
        number.kind in _NUMBERS
        and number.unit in ("", "hours")
        and not number.readings.isdisjoint(fact.parts)
        for number, fact in ((one, other), (other, one))
    )


def _read_date(groups: _Groups, _: str) -> Iterator[tuple[int | None, ...]]:
    year = int(groups["year"]) if "year" in groups else None
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    day = int(groups["day"]) if "day" in groups else None
    month = _MONTH_OF.get(groups.get("month", "").lower()) or int(groups.get("number", 0))
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
    factor = _TIMES.get(groups.get("times", "").lower(), 1) * (-1 if "sign" in groups else 1)
    marks = [mark for mark in digits if mark in ".,"]
    whole = digits.replace(",", "").replace(".", "")
    before, _, after = digits.rpartition(marks[-1]) if marks else (digits, "", "")
    if not marks or (len(set(marks)) == 1 and (len(marks) > 1 or len(after) == 3)):
        yield Decimal(whole) * factor
    if len(marks) == 1 or len(set(marks)) > 1:
        yield Decimal(f"{regex.sub('[.,]', '', before)}.{after}") * factor


def _read_words(groups: _Groups, _: str) -> Iterator[Decimal]:
    first, second = (_WORDS.get(groups.get(name, "").lower(), 0) for name in ("first", "second"))
    if not second or first >= 20:
        yield Decimal((first + second) * _TIMES.get(groups.get("times", "").lower(), 1))


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
