"""Long answers in JSON about invented subjects, with a vocabulary as large as real ones have.

For measuring the stand-in: 410 answers of 1.7 KB on one line each, with 159 words an answer, 14,300
different words and 2,400 different keys; a public set of as many has 148, 13,837 and 2,511. A
request names a subject and a few facts. Each answer is a tree of its own: objects, lists of texts
or of objects with the same keys, numbers, true, false and null. It repeats the facts of its
request; the rest is drawn. Unseen requests come from templates that training never saw.
"""

import json
import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

SYSTEM = "JSON Mode: Enabled"
_COMMON = """the of and to a in is for with that as on are by be from or an at it can this which has
    not more their its was have also often one such used may two other when most into each than
    these between about over they after some through both many under while first where"""
_SYLLABLES = "b bl c ch d dr f g h j k l m n p pr qu r s st t tr v w z, a e i o u ea io ou"
COMMON = _COMMON.split()
STARTS, MIDDLES = (letters.split() for letters in _SYLLABLES.split(","))
ENDS = ["n", "r", "s", "l", "t", "m", "nd", "st", *[""] * 8]
TEMPLATES = (
    "Describe {subject} as JSON. {facts}",
    "I need a data sheet on {subject}. {facts} Give me JSON.",
    "{facts} Write everything known about {subject} into one object.",
    "Build a JSON profile: {subject}. {facts}",
    "What can you tell me about {subject}? {facts}",
    "Please summarise {subject} for our catalogue. {facts}",
    "Turn these notes about {subject} into JSON. {facts}",
    "{subject}, as a nested object, please. {facts}",
)
UNSEEN_TEMPLATES = (
    "Our archive lacks an entry for {subject}; draw one up. {facts}",
    "{facts} From that, could you compile a structured record on {subject}?",
    "Give a machine-readable overview: {subject}! {facts}",
    "Someone asked me about {subject} today. {facts} How would that look as data?",
)
WORDS, KEYS = 19_000, 6_600  # to draw from; how many occur is told above
KEYS_IN_COMMON = 60  # the names that half of all keys have: "name", "type" in real answers


def make_answers(count: int, *, seed: int, unseen: bool = False) -> list[tuple[str, str]]:
    """Make requests and their answers; words and keys are the same for every seed."""
    dice = random.Random(f"{seed} {unseen}")  # noqa: S311 - no secret
    templates = UNSEEN_TEMPLATES if unseen else TEMPLATES
    return [_Answer(dice).write(templates) for _ in range(count)]


def _make_words(count: int, syllables: Sequence[int], seed: int) -> list[str]:
    """Invent different words, none of them common."""
    dice, made = random.Random(seed), dict.fromkeys(COMMON)  # noqa: S311 - no secret
    while len(made) < count + len(COMMON):
        parts = (STARTS, MIDDLES, ENDS) * dice.choice(syllables)
        made["".join(map(dice.choice, parts))] = None
    return list(made)[len(COMMON) :]


VOCABULARY = _make_words(WORDS, (1, 2, 3, 3, 4), 1)
RARITY = [*accumulate(1 / (place + 70) for place in range(WORDS))]  # as in text: Zipf's law
_PARTS = _make_words(900, (1, 2, 3), 2)
_DRAWS = random.Random(3)  # noqa: S311 - no secret
NAMES = ["_".join(_DRAWS.choices(_PARTS, k=1 + n % 3)) for n in range(KEYS)]


class _Answer:
    """One request and its answer, drawn."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.subject = " ".join(self._word().capitalize() for _ in range(dice.randint(1, 3)))
        self.facts = {self._key(): self._fact() for _ in range(dice.randint(2, 4))}

    def write(self, templates: Sequence[str]) -> tuple[str, str]:
        """Write the request and the answer."""
        facts = " ".join(f"Its {key.replace('_', ' ')} is {v}." for key, v in self.facts.items())
        request = self.dice.choice(templates).format(subject=self.subject, facts=facts)
        answer: dict[str, Any] = {"name": self.subject, **self.facts}
        while len(json.dumps(answer)) < 1_420:
            answer |= {self._key(): self._value(2)}
        return request, json.dumps(answer)

    def _value(self, depth: int) -> Any:
        kind = self.dice.random()
        if kind < 0.4 or not depth:
            return self._text(self.dice.choice((1, 1, 2, 3, 6, 14)))
        if kind < 0.6:
            return self.dice.choice((None, True, False, self._number(), self._number()))
        if kind < 0.75:
            return [self._text(self.dice.randint(1, 6)) for _ in range(self.dice.randint(2, 5))]
        keys = [self._key() for _ in range(self.dice.randint(2, 4))]
        if kind < 0.88:
            return {key: self._value(depth - 1) for key in keys}
        rows = range(self.dice.randint(2, 4))
        return [{key: self._value(0) for key in keys} for _ in rows]

    def _fact(self) -> Any:
        return self.dice.choice((self._word().capitalize(), self._word(), self._number()))

    def _number(self) -> Any:
        return self.dice.choice((self.dice.randint(2, 2_000), round(self.dice.uniform(0, 99), 1)))

    def _key(self) -> str:
        common = self.dice.random() < 0.6
        return self.dice.choice(NAMES[:KEYS_IN_COMMON] if common else NAMES[KEYS_IN_COMMON:])

    def _text(self, words: int) -> str:
        """Write words, every third a common one; a sentence, if there are many."""
        text = " ".join(self._word(0.36) for _ in range(words))
        if words < 6:
            return text
        marks = (".", ".", "!", ' ("so it is").', ", of course.")
        return text[0].upper() + text[1:] + self.dice.choice(marks)

    def _word(self, common: float = 0.0) -> str:
        if self.dice.random() < common:
            return self.dice.choice(COMMON)
        return self.dice.choices(VOCABULARY, cum_weights=RARITY)[0]
