"""Scorers: plain functions of a record and a reply, with a name and a direction.

Add your own in one cell:

    short = Scorer("short", "replies of 80 characters or fewer", lambda _, reply: len(reply) <= 80)
    compare(records, replies, extra_scorers=[short])
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from haikuft.dataset.labels import LEAST_A_LABEL, labels_of
from haikuft.dataset.records import Record, prompt_of, prompt_parts, reference_of
from haikuft.errors import SettingsError
from haikuft.evaluation.scorers import calls, facts, structured
from haikuft.evaluation.scorers import text_overlap as overlap
from haikuft.evaluation.scorers.labels import (
    exact_match,
    join_text,
    label_match,
    length_gap,
    normalised_match,
    refusal,
)
from haikuft.package_data import read_toml

SCORES = read_toml(__package__, "scores.toml")
# Task -> its scorers, the one that decides first and the one beside it second.
_SCORERS = {
    "labels": "accuracy exact_match",
    "calls": "right_arguments right_function exact_match valid_json",
    "structured": "json_agreement valid_json exact_match required_keys same_shape",
    "text": "right_rouge_l right_facts exact_match left_out_facts rouge_l rouge_1 rouge_2 chrf "
    "same_words",
}
_OF_EVERY_TASK = "length_gap refusals"
TASKS = tuple(_SCORERS)
_QUESTION_MARKS = "?？؟;՞"


@dataclass(frozen=True, slots=True)
class Scorer:
    """A function of (record, reply) with its name, its direction and its unit.

    Attributes:
        name: Short, for columns and files.
        title: What the mean over records is, in a few words.
        function: Takes the record and the reply's text, returns a number.
        higher_is_better: False where smaller numbers are better.
        is_share: True where each score lies between 0 and 1, so that means read as per cent.
    """

    name: str
    title: str
    function: Callable[[Record, str], float]
    higher_is_better: bool = True
    is_share: bool = True

    def __call__(self, record: Record, reply: str) -> float:
        """Score one reply.

        Raises:
            SettingsError: the function returned no finite number, or a share outside 0 to 1.
        """
        score = float(self.function(record, reply))
        if not math.isfinite(score) or (self.is_share and not 0 <= score <= 1):
            fix = "Return a number from 0 to 1, or set is_share=False."
            if not self.is_share:
                fix = "Return a finite number."
            raise SettingsError(
                f'Scorer "{self.name}" returned {score} for the reply {reply[:200]!r}. {fix}'
            )
        return score


def recognise_task(records: Sequence[Record]) -> str:
    """Recognise the kind of task from the reference answers: one of `TASKS`.

    "calls" when all of them are calls of functions, "structured" when all are other JSON objects or
    arrays, "labels" when `labels_of` finds labels. Give it a whole file: in a few records most
    labels occur once.
    """
    answers = [reference_of(record) for record in records]
    for task, read in (("calls", calls.read_call), ("structured", structured.parse_json)):
        if answers and all(read(answer) is not None for answer in answers):
            return task
    return "labels" if labels_of(records) else "text"


def has_few_answers(records: Sequence[Record]) -> bool:
    """Whether the references are two or more answers of any form, each of three records or more.

    On average, as for labels. Then a classifier can compete, and so can the most frequent answer.
    """
    answers = {join_text(reference_of(record)) for record in records}
    return 1 < len(answers) <= len(records) / LEAST_A_LABEL


def describe_task(task: str, records: Sequence[Record]) -> str:
    """Say in a sentence what kind of task a data set is, and whether one answer is all it has."""
    answers = {join_text(reference_of(record)) for record in records}
    if len(answers) == 1:
        return (
            f"All {len(records):,} records have one and the same answer. A model that always gives "
            "it is right, so there is nothing to learn and nothing to compare: add records with "
            "other answers."
        )
    kinds = {"labels": "labels", "calls": "function calls in JSON", "structured": "JSON"}
    kind = kinds.get(task, "free text")
    said = f"The answers are {kind}: {len(answers):,} different ones in {len(records):,} records."
    if copies := len(records) - len(list_different(records)):
        said += (
            f" Copies of others among them: {copies:,}. A record and its copies go to the same "
            "file, and are one piece of evidence in notebook 6."
        )
    return said


def list_different(records: Sequence[Record]) -> list[Record]:
    """List the records without copies of those before; white space makes no difference."""
    texts = [(*prompt_parts(record), reference_of(record)) for record in records]
    keys = [tuple(map(join_text, one)) for one in texts]
    different = dict(zip(reversed(keys), reversed(records), strict=True))
    return list(different.values())[::-1]


def asks_questions(records: Sequence[Record]) -> bool:
    """Whether most prompts end with a question mark, so that an answer has to be complete."""
    ends = [prompt_of(record)[1][-1]["content"].rstrip()[-1:] for record in records]
    return 2 * sum(end in _QUESTION_MARKS for end in ends if end) > len(ends)


def scorers_for(task: str, labels: Sequence[str] = (), *, complete: bool = False) -> list[Scorer]:
    """List the scorers of a task, the one that decides first and the one beside it second.

    Args:
        task: One of `TASKS`.
        labels: All labels of a label task.
        complete: In free text a reply that leaves a fact out is wrong, as in questions and answers.

    Raises:
        SettingsError: an unknown task.
    """
    if task not in TASKS:
        raise SettingsError(f'task: "{task}" is unknown. Use one of {", ".join(TASKS)}, or "".')
    right = partial(facts.right_facts, complete=complete)
    functions: dict[str, Callable[[Record, str], float]] = {
        "accuracy": partial(label_match, labels=tuple(labels)),
        "exact_match": exact_match,
        "right_arguments": calls.right_arguments,
        "right_function": calls.right_function,
        "json_agreement": structured.json_agreement,
        "valid_json": structured.valid_json,
        "required_keys": structured.required_keys,
        "same_shape": structured.matches_schema,
        "right_rouge_l": lambda *texts: overlap.rouge_l(*texts) * right(*texts),
        "right_facts": right,
        "left_out_facts": facts.left_out_facts,
        "rouge_l": overlap.rouge_l,
        "rouge_1": overlap.rouge_1,
        "rouge_2": overlap.rouge_2,
        "chrf": overlap.chrf,
        "same_words": normalised_match,
        "length_gap": length_gap,
        "refusals": refusal,
    }
    names = f"{_SCORERS[task]} {_OF_EVERY_TASK}".split()
    also = " or left out" if complete else ""
    return [_make_scorer(name, functions[name], also=also) for name in names]


def _make_scorer(name: str, function: Callable[[Record, str], float], **words: str) -> Scorer:
    """Make the scorer that `scores.toml` describes, the names in braces replaced by words."""
    row = {key: value for key, value in SCORES[name].items() if key != "meaning"}
    return Scorer(name, function=function, **{**row, "title": row["title"].format_map(words)})


def choose_scorers(
    names: Sequence[str], task: str = "", records: Sequence[Record] = ()
) -> list[Scorer]:
    """Choose scorers of a task by name, the one that decides first; no names choose all.

    Args:
        names: Such as ["exact_match"].
        task: One of `TASKS`; "" takes any task's.
        records: Whose labels count in a label task.

    Raises:
        SettingsError: a name that is no scorer of the task.
    """
    labels = sorted({join_text(reference_of(r)) for r in records}) if task == "labels" else []
    tasks, complete = (task,) if task else TASKS, asks_questions(records)
    known = {s.name: s for one in tasks for s in scorers_for(one, labels, complete=complete)}
    if odd := [name for name in names if name not in known]:
        of = f"of the task {task}" if task else "here"
        raise SettingsError(
            f"scorers = {list(names)!r}: {', '.join(odd)} is no scorer {of}. "
            f"Known: {', '.join(known)}."
        )
    return [known[name] for name in names or known]


def schema_scorer(schema: str) -> Scorer:
    """Make a scorer of replies that a JSON Schema, given as text, allows.

    Its title says which of the schema's formats are checked.

    Raises:
        SettingsError: the text is not a JSON Schema, or refers to something outside of it.
    """
    parts = zip(("formats checked", "not checked"), structured.list_formats(schema), strict=True)
    said = "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)
    title = SCORES["schema"]["title"] + (f" ({said})" if said else "")
    return Scorer("schema", title, partial(structured.matches_schema, schema=schema))
