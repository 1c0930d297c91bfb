"""A changed fact is found however fluent the reply; the same facts in other words are no fault."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from haikuft.evaluation.scorers.facts import check_facts, left_out_facts, right_facts

NAMES = ["Okafor", "Lindqvist", "Moreau", "Tanaka", "Silva", "Novak"]
COUNTS = "zero one two three four five six seven eight nine ten eleven twelve"
MONTHS = "January February March April May June July August September October November December"


def record(prompt: str, reference: str) -> dict[str, Any]:
    """Build a record of this question and answer."""
    turns = [("user", prompt), ("assistant", reference)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@dataclass(frozen=True)
class Case:
    """What one customer asked: the facts of the answer, and the two names of the question."""

    code: str
    amount: float
    day: date
    days: int
    hour: int
    share: int
    names: tuple[str, str]


def draw(number: int) -> Case:
    """Draw a case; the same number, the same case."""
    chance = random.Random(number)  # noqa: S311
    first, second = chance.sample(NAMES, 2)
    letters = "".join(chance.choices("BCDFGHKLMNPQRSTVWXZ", k=2))
    return Case(
        code=f"{letters}-{chance.randrange(1000, 9999)}",
        amount=chance.randrange(100_000, 900_000) / 100,
        day=date(chance.choice([2025, 2026, 2027]), chance.randint(1, 12), chance.randint(1, 28)),
        days=chance.randint(2, 12),
        hour=chance.randint(1, 11),
        share=chance.randint(3, 40),
        names=(first, second),
    )


def month(day: date) -> str:
    """Name the month."""
    return MONTHS.split()[day.month - 1]


def ask(case: Case) -> str:
    """Write the question, which holds the two names and no fact of the answer."""
    return f"Does clerk {case.names[0]} or clerk {case.names[1]} look after my refund, and when?"


def answer(case: Case) -> str:
    """Write the reference."""
    return (
        f"Clerk {case.names[0]} looks after refund {case.code}. You get €{case.amount:,.2f}, which "
        f"is {case.share}% of the price, on {case.day.day} {month(case.day)} {case.day.year} at "
        f"{case.hour + 12}:00, {case.days} days after the return."
    )


CHANGES: dict[str, Callable[[Case], tuple[str, str]]] = {
    "code": lambda c: (c.code, f"{c.code[:-1]}{(int(c.code[-1]) + 3) % 10}"),
    "amount": lambda c: (f"{c.amount:,.2f}", f"{c.amount + 9:,.2f}"),
    "cents": lambda c: (f"{c.amount:,.2f}", f"{c.amount + 0.01:,.2f}"),
    "currency": lambda c: ("€", "$"),
    "day": lambda c: (f"on {c.day.day} ", f"on {c.day.day % 28 + 1} "),
    "month": lambda c: (month(c.day), MONTHS.split()[c.day.month % 12]),
    "year": lambda c: (str(c.day.year), str(c.day.year - 1)),
    "hour": lambda c: (f"{c.hour + 12}:00", f"{c.hour + 11}:00"),
    "days": lambda c: (f"{c.days} days", f"{c.days + 1} days"),
    "share": lambda c: (f"{c.share}%", f"{c.share + 5}%"),
    "name": lambda c: (c.names[0], c.names[1]),
}


def paraphrase(case: Case) -> Iterator[str]:
    """Say the same in other words and other forms, as several people would write it."""
    name, other = case.names
    day, mon = case.day, month(case.day)
    plain = f"{case.amount:.2f}"
    german = f"{case.amount:,.2f}".translate(str.maketrans(",.", ".,"))
    count = COUNTS.split()[case.days]
    yield (
        f"Your refund ({case.code}) is handled by {name}. {plain} EUR, that is {case.share} "
        f"percent of what you paid, will arrive on {mon} {day.day}, {day.year} at {case.hour} pm: "
        f"{count} days after you sent it back."
    )
    yield (
        f"It is {name} who does it. {case.days} days after the return, on {day.isoformat()} at "
        f"{case.hour}:00 p.m., we pay {german} € ({case.share} % of the price) for "
        f"{case.code.replace('-', '')}."
    )
    yield (
        f"{name}, not {other}. Expect {plain} euros on the {day.day}th of {mon} {day.year}, "
        f"{case.hour + 12}:00. This is refund number {case.code.lower()}; it is a "
        f"{case.days}-day wait, and {case.share} per cent of the whole."
    )
    yield (
        f"We refund you {case.amount:,.2f} euro, or {case.share}%, in {count} days. The "
        f"date is {day.day:02d}.{day.month:02d}.{day.year}, {case.hour}PM. Ask {name} for "
        f"{case.code}."
    )
    yield f"On {day.day} {mon[:3]} {day.year}, {name} sends you €{plain}."
    yield f"{name} will pay you on {mon} {day.day}."


def test_facts_when_one_is_changed_then_at_least_95_per_cent_are_found() -> None:
    """Eleven kinds of change, twelve cases each, in the words of the reference."""
    changed = [
        (record(ask(case), answer(case)), answer(case).replace(*change(case)))
        for case in map(draw, range(12))
        for change in CHANGES.values()
    ]
    found = [right_facts(one, text) == 0.0 for one, text in changed]

    assert len(changed) >= 100
    assert all(text != one["messages"][1]["content"] for one, text in changed)
    assert sum(found) >= 0.95 * len(found)


def test_facts_when_one_is_changed_in_other_words_then_at_least_95_per_cent_are_found() -> None:
    """The paraphrase of one case holds another case's facts, but for the names."""
    texts = [
        (record(ask(draw(n)), answer(draw(n))), text)
        for n in range(40)
        for text in paraphrase(draw(n + 1000))
    ]
    found = [right_facts(one, text) == 0.0 for one, text in texts]

    assert len(found) >= 100
    assert sum(found) >= 0.95 * len(found)


def test_facts_when_the_reply_says_the_same_in_other_words_then_at_most_2_per_cent_are_alarms() -> (
    None
):
    """Dates, amounts, times, codes and counts in other forms; some left out, one name added."""
    texts = [
        (record(ask(draw(n)), answer(draw(n))), text)
        for n in range(40)
        for text in paraphrase(draw(n))
    ]
    alarms = [
        (check_facts(one, text)[0], text) for one, text in texts if not right_facts(one, text)
    ]

    assert len(texts) >= 100
    assert len(alarms) <= 0.02 * len(texts), alarms[:3]


@pytest.mark.parametrize(
    ("reference", "reply"),
    [
        ("That is 1,234 parcels.", "That is 1234 parcels."),
        ("That is 1,5 kg.", "That is 1.50 kg."),
        ("Am 5. Mai 2026 um 14:30 Uhr.", "Am 05.05.2026, 14:30."),
        ("El 5 de mayo de 2026.", "2026-05-05"),
        ("Le 3 août 2026.", "03/08/2026"),
        ("2026年5月3日に届きます。", "5月3日に届きます。"),
        ("يصل في ٢٥ يوما", "يصل في 25 يوما"),
        ("12,50,000 rupees", "1250000 rupees"),
        ("Two million people.", "2,000,000 people."),
        ("It is 5k.", "It is 5,000."),
        ("Order 5512 is late.", "Order #5512 is late."),
        ("It takes a while.", "It takes a while, one might say."),
        ("Room 12, second floor.", "Room 12, 2nd floor."),
        ("Below -18 °C.", "Below minus 18 °C."),
        ("A discount of 10 %.", "The price minus 10 %."),
        ("On 5 May at 3 pm.", "It comes on the 5th, at 3."),
        ("From 9:30 to 12:00.", "From 9.30 am to noon."),
        ("Um 14:30 Uhr.", "Um 14.30 Uhr."),
        ("It takes 2 hours.", "It is a 2-hour job, 2 hrs."),
        ("See https://example.com/help.", "Look at www.example.com/help/ for it."),
        ("Open it and press Reset.", "1. Open it.\n2. Press Reset."),
        ("Open it and press Reset.", "## Steps\n\nStep 1: open it\n**Step 2:** press Reset"),
        ("1) Open it\n2) Press Reset", "Open it, then press Reset."),
    ],
)
def test_facts_when_they_are_written_otherwise_then_they_are_the_same(
    reference: str, reply: str
) -> None:
    """In the forms of several countries."""
    assert check_facts(record("When?", reference), reply) == ([], [])


@pytest.mark.parametrize(
    ("prompt", "reference", "reply", "wrong"),
    [
        ("When?", "On Friday.", "On Saturday.", ["Saturday"]),
        ("When?", "2026年5月3日に届きます。", "2026年5月4日に届きます。", ["2026年5月4日"]),
        ("When?", "订单12345已发货。", "订单12346已发货。", ["12346"]),
        ("When?", "Soon.", "In 3 days.", ["3 days"]),
        ("Is it 3 or 5 days?", "It is 5 days.", "It is 3 days.", ["3 days"]),
        ("Is it 3 or 5 days?", "It is 5 days.", "It is three days.", ["three days"]),
        ("Is it 3 or 5 days?", "It takes 5 days.", "You need 3 days.", ["3 days"]),
        ("I gave 3 books.", "Thank you for the books.", "Thank you for the 3 books.", []),
        ("Order 77 of 5 May?", "It takes 4 days.", "Order 77 takes 4 days.", []),
        ("Is he 12?", "Marc is.", "Yes, Marc 12 is.", []),  # no day in March
        ("How cold?", "It is -5 °C.", "It is 5 °C.", ["5"]),
        ("How long?", "It takes 3 hours.", "It takes 3 days.", ["3 days"]),
        ("How long?", "It takes two weeks.", "It takes two months.", ["two months"]),
        ("How heavy?", "It weighs 5 kg.", "It weighs 5 g.", ["5 g"]),
        ("Which place?", "He came second.", "He came third.", ["third"]),
        ("To whom?", "Write to help@acme.com.", "Write to sales@acme.com.", ["sales@acme.com"]),
        ("Where?", "At https://a.eu/x.", "At https://a.eu/y.", ["https://a.eu/y."]),
        ("When?", "At noon.", "At midnight.", ["midnight"]),
        ("How?", "Press 7.", "1. Open it.\n2. Press 8.", ["8"]),
        ("Is it 3 or 5 days?", "It costs 5 €.", "You need 3 days.", []),
        ("When?", "At 5:00.", "At 0:05.", ["0:05"]),
        ("When?", "On 7 June, with 7 kg.", "On 7 July it is.", ["7 July"]),
        ("When?", "At 16:00, for 4 nights.", "At 4 am then.", ["4 am"]),
        ("Where?", "On floor 4.", "On the third floor.", ["third"]),
    ],
)
def test_facts_when_the_prompt_has_them_then_they_are_wrong_in_the_place_of_others_alone(
    prompt: str, reference: str, reply: str, wrong: list[str]
) -> None:
    """What is invented or stands in the place of a fact of the reference is wrong."""
    assert check_facts(record(prompt, reference), reply)[0] == wrong


def test_facts_when_some_are_left_out_then_they_are_counted_apart() -> None:
    """They are wrong only where the answer is to be complete."""
    asked = record("When does order 77 come, and what does it cost?", "Order 77: 5 May, 20 €.")

    assert check_facts(asked, "It comes on 5 May.") == ([], ["20 €"])
    assert left_out_facts(asked, "It comes on 5 May.") == 1.0
    assert right_facts(asked, "It comes on 5 May.") == 1.0
    assert right_facts(asked, "It comes on 5 May.", complete=True) == 0.0
    assert right_facts(asked, "20 EUR on May 5.", complete=True) == 1.0
