"""The data sets in data/: each keeps what its README says of it."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data"
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def read_pairs(name: str) -> list[tuple[str, str]]:
    """Read the prompts and completions of a data set."""
    with (DATA / name / "raw.jsonl").open(encoding="utf-8") as lines:
        return [(one["prompt"], one["completion"]) for one in map(json.loads, lines)]


def split_sentences(text: str) -> list[str]:
    """Split a text after each mark that ends a sentence and is followed by a blank."""
    return re.split(r"(?<=[.!?])\s+", text.strip())


@pytest.mark.parametrize(("name", "least"), [("product_questions", 240)])
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
        assert len(fact["lines"]) >= 3
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
