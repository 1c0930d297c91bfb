"""A model as the judge: which of two replies is better, asked in both orders.

A judge is asked like any other model: `build_questions` makes records, `inference.ask_many` asks
them (and keeps every reply, so that nothing is paid for twice), `judge` reads the replies. Two
replies that are the same are a tie without asking.

Judges are biased, among others towards the first reply and the longer one. Each pair is therefore
asked twice with the replies exchanged, a win counts only when both readings name the same reply,
and how often the judge agrees with itself is part of the result. The sandbox has no judge:
`check_judge` says so.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from haikuft.dataset.problems import count
from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import SettingsError
from haikuft.evaluation.scorers.scorer import list_different
from haikuft.evaluation.statistics import uncertainty
from haikuft.inference.replies import Reply
from haikuft.package_data import read_toml

_TEXTS = read_toml(__package__, "judge.toml")
RUBRIC: str = _TEXTS["rubric"]
BETTER, WORSE, TIE, SPLIT, UNREADABLE = "better", "worse", "tie", "split", "unreadable"


@dataclass(frozen=True, slots=True)
class Question:
    """One reading of one pair.

    Attributes:
        record_id: Of the record whose two replies are judged.
        exchanged: The second model's reply stands first.
        record: What the judge is asked, as a record for `inference.ask_many`; None where the two
            replies are the same.
    """

    record_id: str
    exchanged: bool
    record: Record | None


class _Reply(msgspec.Struct, forbid_unknown_fields=True):
    """What the judge is told to answer with."""

    reason: str
    winner: Literal["first", "second", "tie"]


@dataclass(frozen=True, slots=True)
class Judging:
    """A judge's verdict on the tuned model beside the base, over the same records.

    Attributes:
        judge: Id of the judge model.
        counts: How many records that both models answered have which result, of the tuned model
            against the base: "better", "worse", "tie", "split" (the two readings disagree) or
            "unreadable".
        agreement: Share of readable pairs in which both readings say the same; None without any.
        gain: Mean of +1 for better, -1 for worse, 0 otherwise, with its 95 % interval; None
            without a readable pair.
        p_value: Of the sign test on better and worse, which McNemar's exact test is.
    """

    judge: str
    counts: Counter[str]
    agreement: float | None
    gain: uncertainty.Interval | None
    p_value: float

    @property
    def verdict(self) -> str:
        """The result in a sentence, with the numbers behind it."""
        unreadable = self.counts[UNREADABLE]
        if self.gain is None or self.agreement is None:
            asked = count(unreadable, "record")
            return f"{self.judge} gave no verdict that could be read ({asked})."
        n = sum(self.counts.values()) - unreadable
        word = uncertainty.decide(self.gain.value, self.p_value, n)
        finding = f"base and tuned are {uncertainty.NO_VERDICT}"
        if word in (BETTER, WORSE):
            finding = f"tuned is {word} than base"
        shown = {"better": BETTER, "worse": WORSE, "ties": TIE, "split": SPLIT}
        shown |= {"unreadable": UNREADABLE} if unreadable else {}
        counts = ", ".join(f"{word} {self.counts[outcome]}" for word, outcome in shown.items())
        return (
            f"By the judge {self.judge}, {finding} on {count(n, 'record')}: {counts}. "
            f"Better less worse: {self.gain.value:+.0%} "
            f"(95 % {self.gain.low:+.0%} to {self.gain.high:+.0%}, p = {self.p_value:.2g}); "
            f"the judge agrees with itself in {self.agreement:.0%}."
        )


def check_judge(judge_model_id: str, *, target: str) -> None:
    """Check that a judge is available on the target.

    Raises:
        SettingsError: no judge is named, or the target is the sandbox.
    """
    if target == "sandbox":
        raise SettingsError(
            "The sandbox has no judge: its models are stand-ins, and what they would say of two "
            "replies means nothing. Judge on AWS, or leave judge_model_id empty."
        )
    if not judge_model_id:
        raise SettingsError("judge_model_id is empty: name the model or profile that judges.")


def build_questions(
    records: Sequence[Record],
    first: Mapping[str, Reply],
    second: Mapping[str, Reply],
) -> list[Question]:
    """Build two questions for each record that both models answered; copies are asked once.

    Args:
        records: The test records.
        first: Record id to the reply of the model compared against, such as the base.
        second: The same of the model that is judged.
    """
    questions = []
    for record in list_different(records):
        key = record_id(record)
        pair = first.get(key), second.get(key)
        if any(reply is None or reply.error is not None for reply in pair):
            continue
        texts = [reply.text for reply in pair if reply is not None]
        for exchanged in (False, True):
            shown = texts[::-1] if exchanged else texts
            asked = None if texts[0] == texts[1] else _build_record(record, shown)
            questions.append(Question(key, exchanged, asked))
    return questions


def read_winner(text: str) -> str:
    """Read who won from a judge's reply; "" where it is not the JSON asked for."""
    try:
        return msgspec.json.decode(text, type=_Reply).winner
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, too
        return ""


def judge(
    questions: Sequence[Question],
    answers: Mapping[str, Reply],
    *,
    judge_model_id: str,
    seed: int = 0,
) -> Judging:
    """Combine a judge's replies into a verdict.

    Args:
        questions: As `build_questions` made them.
        answers: Id of a question's record to the judge's reply, as `inference.ask_many` returns.
        judge_model_id: Who judged.
        seed: For the bootstrap.
    """
    readings: dict[str, set[str]] = {}
    for question in questions:
        readings.setdefault(question.record_id, set()).add(_read(question, answers))
    results = [_combine(both) for both in readings.values()]
    readable = [result for result in results if result != UNREADABLE]
    scores = [{BETTER: 1.0, WORSE: -1.0}.get(result, 0.0) for result in readable]
    gain = uncertainty.bootstrap_means(scores, seed=seed)[0] if scores else None
    p_value = uncertainty.mcnemar([score < 0 for score in scores], [score > 0 for score in scores])
    agreement = sum(result != SPLIT for result in readable) / len(readable) if readable else None
    return Judging(judge_model_id, Counter(results), agreement, gain, p_value)


def _build_record(record: Record, replies: Sequence[str]) -> Record:
    system, messages = prompt_of(record)
    material = {
        "instructions": system or "",
        "request": messages,
        "reference": reference_of(record),
        "first_reply": replies[0],
        "second_reply": replies[1],
    }
    return {
        "system": _TEXTS["instructions"].format(rubric=RUBRIC),
        "messages": [
            {"role": "user", "content": json.dumps(material, ensure_ascii=False, indent=1)},
            {"role": "assistant", "content": "{}"},  # a record ends with an answer; none is known
        ],
    }


def _read(question: Question, answers: Mapping[str, Reply]) -> str:
    """Read the result of one question: better, worse, tie or unreadable."""
    if question.record is None:  # the replies are the same
        return TIE
    answer = answers.get(record_id(question.record))
    winner = read_winner(answer.text) if answer and answer.error is None else ""
    if not winner:
        return UNREADABLE
    if winner == "tie":
        return TIE
    return BETTER if (winner == "second") != question.exchanged else WORSE


def _combine(readings: set[str]) -> str:
    if UNREADABLE in readings:
        return UNREADABLE
    return SPLIT if len(readings) > 1 else next(iter(readings))
