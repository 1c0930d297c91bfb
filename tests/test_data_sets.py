"""The data sets in data/: each keeps what its README says of it."""

import json
import re
from collections import Counter
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

DATA = Path(__file__).parents[1] / "data"
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
TODAY = date(2027, 3, 3)  # of tool_calls
Call = dict[str, Any]


def read_pairs(name: str) -> list[tuple[str, str]]:
    """Read the prompts and completions of a data set."""
    with (DATA / name / "raw.jsonl").open(encoding="utf-8") as lines:
        return [(one["prompt"], one["completion"]) for one in map(json.loads, lines)]


def split_sentences(text: str) -> list[str]:
    """Split a text after each mark that ends a sentence and is followed by a blank."""
    return re.split(r"(?<=[.!?])\s+", text.strip())


@pytest.mark.parametrize(
    ("name", "least"), [("product_questions", 240), ("tool_calls", 240), ("news_summaries", 160)]
)
def test_data_set_when_read_then_no_two_prompts_are_alike(name: str, least: int) -> None:
    """At most 0.8 of all words of two prompts are common to both (Jaccard)."""
    words = [set(re.findall(r"\w+", prompt.lower())) for prompt, _ in read_pairs(name)]
    assert len(words) >= least
    assert [
        (first, second)
        for first, second in combinations(words, 2)
        if len(first & second) > 0.8 * len(first | second)
    ] == []


def test_product_questions_when_answered_then_the_numbers_are_those_of_the_fact() -> None:
    """So answers to the same question in other words cannot contradict each other."""
    pairs = read_pairs("product_questions")
    facts = json.loads((DATA / "product_questions" / "facts.json").read_text(encoding="utf-8"))
    for fact in facts:
        assert len(fact["lines"]) >= 5
        for line in fact["lines"]:
            question, answer = pairs[line - 1]
            assert [value for value in fact["values"] if value not in answer] == [], answer
            known = NUMBER.findall(question + " " + fact["fact"])
            assert set(NUMBER.findall(answer)) <= set(known), answer
            assert len(split_sentences(answer)) <= 3
    assert sorted(line for fact in facts for line in fact["lines"]) == [*range(1, len(pairs) + 1)]


def test_product_questions_when_documented_then_the_readme_states_every_fact() -> None:
    """The page of facts is the one source of the answers."""
    facts = json.loads((DATA / "product_questions" / "facts.json").read_text(encoding="utf-8"))
    readme = (DATA / "product_questions" / "README.md").read_text(encoding="utf-8")
    assert [fact["fact"] for fact in facts] == re.findall(
        r"^- (.*)", readme.split("## The facts")[1], re.M
    )
    assert all(value in fact["fact"] for fact in facts for value in fact["values"])


def read_functions() -> dict[str, Any]:
    """Read the JSON Schema of the arguments of each function of tool_calls."""
    functions = json.loads((DATA / "tool_calls" / "functions.json").read_text(encoding="utf-8"))
    return {function["name"]: function["parameters"] for function in functions}


def read_calls() -> list[tuple[str, Call]]:
    """Read the requests of tool_calls with their parsed calls."""
    return [(request, json.loads(call)) for request, call in read_pairs("tool_calls")]


def test_tool_calls_when_checked_then_each_fits_the_schema_of_its_function() -> None:
    """One object with name and arguments, these in the order of the signature."""
    schemas = read_functions()
    checker = Draft202012Validator.FORMAT_CHECKER
    for request, call in read_calls():
        assert list(call) == ["name", "arguments"]
        schema, arguments = schemas[call["name"]], call["arguments"]
        problems = Draft202012Validator(schema, format_checker=checker).iter_errors(arguments)
        assert [problem.message for problem in problems] == [], request
        assert list(arguments) == [name for name in schema["properties"] if name in arguments]


def test_tool_calls_when_the_system_prompt_is_read_then_it_has_every_signature() -> None:
    """A question mark stands after an optional argument, and every choice is named."""
    system = (DATA / "tool_calls" / "system.txt").read_text(encoding="utf-8")
    for name, schema in read_functions().items():
        signature = ", ".join(
            argument if argument in schema["required"] else f"{argument}?"
            for argument in schema["properties"]
        )
        line = next(line for line in system.splitlines() if line.startswith(f"{name}({signature})"))
        for value in schema["properties"].values():
            choices = value.get("enum", value.get("items", {}).get("enum", []))
            assert [choice for choice in choices if choice not in line] == []


CURRENCIES = {
    "AUD": "australian dollar",
    "CAD": "canadian dollar|cad",
    "CHF": "swiss franc|chf",
    "CZK": "czech koruna",
    "DKK": "danish kroner|dkk",
    "EUR": "euro|eur",
    "GBP": "pound|gbp",
    "HUF": "hungarian forint",
    "INR": "rupees, indian",
    "JPY": "yen|jpy",
    "MXN": "mexican peso",
    "NOK": "norwegian kroner|nok",
    "NZD": "new zealand dollar",
    "PLN": "polish zloty",
    "SEK": "swedish kronor|sek",
    "TRY": "turkish lira",
    "USD": r"us dollar|usd|dollars \(us\)",
}
CHOICES = {
    "email": "e-?mail|mail me|inbox",
    "sms": "sms|text me|text messages",
    "celsius": "celsius",
    "fahrenheit": "fahrenheit|degrees f",
    "first": "first class",
    "second": "second class",
    "daily": "daily|every day",
    "weekly": "every week|once a week",
    "monthly": "every month|each month|monthly",
    "high": "urgent|dangerous",
    "low": "can wait|no rush|no hurry",
    "damaged": "broken|in pieces|crushed|damaged|smashed",
    "late": "late",
    "wrong_item": "wrong|instead of|ordered was blue",
    "duplicate": "twice|double|two times",
}
NUMBERS = {
    1: "one|a single",
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    10: "ten",
    12: "twelve|a dozen",
    15: "fifteen",
    16: "sixteen",
    18: "eighteen",
    75: "seventy-five",
    200: "two hundred",
    5_000_000: "5 million",
}
PERIODS = {
    30: "half an hour",
    60: "an hour|1 hour",
    120: "two hours",
    180: "3 hours",
}
TIMES = {
    "09:30": "half past nine",
    "11:00": "eleven|from 11 to",
    "12:00": "noon|to 12",
    "16:30": "half past four",
    "18:00": "six in the evening",
}
COPIED = {"room", "place", "item", "text", "channel", "order_number", "extension"}


def spell_date(value: str) -> str:
    """Spell a date in the ways in which requests do, as a regular expression."""
    day = date.fromisoformat(value)
    month, number = f"{day:%B}", rf"\b{day.day}(st|nd|rd|th)?\b"
    ways = [value, f"{day:%d.%m.%Y}", f"{number}( of)?( the)? {month}", f"{month} {number}"]
    ways += [r"\b(?<!after )(today|this evening)"] if day == TODAY else []
    ways += [r"(?<!after )tomorrow"] if day == TODAY + timedelta(1) else []
    ways += ["day after tomorrow"] if day == TODAY + timedelta(2) else []
    ways += [f"{day:%A}"] if TODAY < day <= TODAY + timedelta(7) else []
    return "|".join(ways).replace("%", "")


def spell_time(value: str) -> str:
    """Spell a time in the ways in which requests do, as a regular expression."""
    hour, minute = map(int, value.split(":"))
    ways = [rf"\b0?{hour}:{minute:02}", TIMES.get(value, value)]
    if hour > 12:
        ways.append(rf"\b{hour - 12}" + (f":{minute:02}" if minute else "") + " pm")
    return "|".join(ways)


def spell_minutes(minutes: int, start: str) -> str:
    """Spell a period by its length or by the time at which it ends."""
    hour, minute = map(int, start.split(":"))
    end = divmod(hour * 60 + minute + minutes, 60)
    return f"{minutes} min|{PERIODS.get(minutes, f'{minutes} min')}|" + spell_time(
        f"{end[0]:02}:{end[1]:02}"
    )


def read_numbers(request: str) -> set[float]:
    """Read the numbers of a request, in digits (commas part thousands) and as words."""
    digits = re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", request)
    spelled = {n for n, words in NUMBERS.items() if re.search(rf"\b({words})\b", request, re.I)}
    return {float(number.replace(",", "")) for number in digits} | spelled


def spell_value(argument: str, value: Any, arguments: Call) -> str:
    """Spell the value of an argument in the ways in which a request may give it."""
    if argument in {"date", "deliver_by"}:
        return spell_date(value)
    if argument in {"start", "time", "until", "depart_after"}:
        return spell_time(value)
    if argument == "minutes":
        return spell_minutes(value, arguments["start"])
    if argument.endswith("_currency"):
        return CURRENCIES[value]
    if argument in {"parcel_code", "article_code", "cost_centre"}:
        return r"[ -]?".join(value.replace("-", ""))
    if argument == "urgent":
        return "urgent"
    if argument in {"origin", "destination", "place"}:
        assert value == value.capitalize()
    return CHOICES.get(value) or re.escape(value)


def test_tool_calls_when_compared_with_the_request_then_every_value_is_found_there() -> None:
    """Copied, or by a rule of the system prompt; so a request says all that its call needs."""
    for request, call in read_calls():
        for argument, value in call["arguments"].items():
            for one in value if isinstance(value, list) else [value]:
                if argument in COPIED and call["name"] != "get_weather":
                    assert one in request
                elif type(one) in (int, float) and argument != "minutes":
                    assert one in read_numbers(request), (request, argument, one)
                else:
                    spelled = spell_value(argument, one, call["arguments"])
                    assert re.search(spelled, request, re.IGNORECASE), (request, argument, one)


def test_tool_calls_when_an_optional_choice_is_left_out_then_the_request_does_not_say_it() -> None:
    """A request that says "urgent" has the argument."""
    said = {"severity": "urgent|dangerous|can wait|no rush|no hurry", "urgent": "urgent"}
    for request, call in read_calls():
        for argument, words in said.items():
            if argument in read_functions()[call["name"]]["properties"]:
                found = bool(re.search(words, request, re.IGNORECASE))
                assert found == (argument in call["arguments"]), request


def test_summaries_when_read_then_prompt_and_summary_have_the_promised_lengths() -> None:
    """Reports of 100 to 250 words in the post's form, summaries of exactly two sentences."""
    for prompt, summary in read_pairs("news_summaries"):
        found = re.fullmatch(r"instruction:\n\n.+\n\ninput:\n(.+)", prompt, re.DOTALL)
        assert found, prompt
        assert 100 <= len(found[1].split()) <= 250
        assert len(split_sentences(summary)) == 2, summary


def test_summaries_when_compared_with_the_report_then_numbers_and_names_stand_there() -> None:
    """A name is any word with a capital letter that does not begin a sentence."""
    for report, summary in read_pairs("news_summaries"):
        assert set(NUMBER.findall(summary)) <= set(NUMBER.findall(report)), summary
        inner = " ".join(sentence.split(" ", 1)[1] for sentence in split_sentences(summary))
        assert [name for name in re.findall(r"\b[A-Z]\w+", inner) if name not in report] == []


def test_summaries_when_compared_with_each_other_then_their_openings_vary() -> None:
    """No two words begin more than three of them."""
    openings = Counter(tuple(summary.split()[:2]) for _, summary in read_pairs("news_summaries"))
    assert max(openings.values()) <= 3
