"""Both models are asked a few validation records, and the first that tuning fixed is shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from haikuft import live
from haikuft.dataset.records import record_id
from haikuft.errors import ChargesRefusedError
from haikuft.live.samples import Answered, Samples
from haikuft.runs.run_record import Run

# The base model under both names: what is asked, kept and compared is the same.
MODELS = dict.fromkeys(("base", "tuned"), "anthropic.claude-3-haiku-20240307-v1:0")


@pytest.fixture
def run(new_run: Callable[..., Run], set_up: Callable[[Run], Run]) -> Run:
    """A run after notebook 2."""
    return set_up(new_run())


@pytest.fixture
def samples(run: Run) -> Samples:
    """Both models' answers to three records of 32."""
    return live.ask_samples(run, MODELS, max_records=3)


def test_samples_when_asked_then_replies_are_kept_and_not_asked_for_again(
    run: Run, samples: Samples
) -> None:
    """Three records, two files; the second time nothing is added to them."""
    files = {path: path.read_bytes() for path in run.replies.glob("samples-*.jsonl")}

    again = live.ask_samples(run, MODELS, max_records=3)

    assert len(files) == 2
    assert {path: path.read_bytes() for path in files} == files
    assert list(again.answers) == [record_id(record) for record in samples.records[:3]]
    assert (len(again.records), again.kind) == (32, "validation")


def test_samples_when_tuning_fixed_one_then_it_is_shown_with_what_it_was_chosen_from(
    samples: Samples,
) -> None:
    """Else the first, and the sentence says why."""
    third = record_id(samples.records[2])
    answer = samples.answers[third]
    base, tuned = (replace(answer.base, text=text) for text in ("no idea", "the answer"))
    fixed = {**samples.answers, third: Answered(base, tuned, "fixed")}
    none = {key: replace_outcome(one, "still wrong") for key, one in samples.answers.items()}

    shown = replace(samples, answers=fixed)
    assert shown.chosen == samples.records[2]
    assert shown.sentence.startswith(
        "Chosen from 3 validation records: the first that tuning fixed"
    )
    for text in (repr(shown), shown._repr_html_()):
        assert "no idea" in text
        assert "the answer" in text
    other = replace(samples, answers=none)
    assert other.chosen == samples.records[0]
    assert "tuning fixed none of them (still wrong). In all: 3 still wrong." in other.sentence


def replace_outcome(answer: Answered, outcome: str) -> Answered:
    """Give an answer another outcome."""
    return answer._replace(outcome=outcome)


def test_samples_when_they_would_cost_money_then_nothing_is_asked_without_consent(
    run: Run,
) -> None:
    """The price stands in the refusal; with no records wanted there is nothing to refuse."""
    billed = replace(run, connection=replace(run.connection, bills=True))

    with pytest.raises(ChargesRefusedError, match="asking base and tuned 3 validation records"):
        live.ask_samples(billed, MODELS, max_records=3)

    assert not list(run.replies.glob("samples-*"))
    assert "No validation record was asked" in repr(live.ask_samples(billed, MODELS, max_records=0))
