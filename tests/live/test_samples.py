"""Both models are asked a few validation records, and the first that tuning fixed is shown."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from haikuft import live
from haikuft.dataset import read_records
from haikuft.dataset.records import record_id
from haikuft.errors import ChargesRefusedError, SettingsError
from haikuft.live.history import append_exchange
from haikuft.live.playground import Playground
from haikuft.runs.run_record import Run

# The base model under both names: it is asked, kept and compared all the same.
MODELS = dict.fromkeys(("base", "tuned"), "anthropic.claude-3-haiku-20240307-v1:0")
MakePlayground = Callable[..., Playground]


@pytest.fixture
def make_playground(new_run: Callable[..., Run], set_up: Callable[[Run], Run]) -> MakePlayground:
    """`make_playground(bills=True)` makes one with 32 validation records, after notebook 2."""
    run = set_up(new_run())

    def make(*, bills: bool = False, interactive: bool = False) -> Playground:
        connection = replace(run.connection, bills=bills)
        records = read_records(run.data / "validation.jsonl")
        return live.Playground(
            replace(run, connection=connection), MODELS, records=records, interactive=interactive
        )

    return make


def test_samples_when_asked_again_then_no_reply_is_asked_for_twice(
    make_playground: MakePlayground, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three records, then one more; the price is told before each asking."""
    live.ask_samples(make_playground(), max_records=3)
    assert capsys.readouterr().out.startswith("Asking both models 3 records ")

    live.ask_samples(make_playground(), max_records=4)
    assert capsys.readouterr().out.startswith("Asking both models 1 record ")

    playground = make_playground()
    first = [record_id(record) for record in playground.records[:4]]
    assert [exchange.record_id for exchange in playground.history] == first
    assert list(playground.outcomes) == first


def test_samples_when_tuning_fixed_one_then_it_is_shown_and_listed_so(
    make_playground: MakePlayground,
) -> None:
    """Else the first is shown, and the sentence says why."""
    playground = make_playground(interactive=True)
    none = live.ask_samples(playground, max_records=3)
    assert none.record == playground.records[0]
    assert none.sentence.startswith("Chosen from 3 records: the first, because tuning fixed none")

    third = playground.history[2]
    texts = {"base": "no idea", "tuned": third.reference}
    replies = {name: replace(third.replies[name], text=text) for name, text in texts.items()}
    append_exchange(playground.path, replace(third, replies=replies))

    shown = live.ask_samples(playground, max_records=3)
    assert shown.record == playground.records[2]
    assert shown.sentence.startswith("Chosen from 3 records: the first that tuning fixed. In all:")
    for text in (repr(shown), shown._repr_html_()):
        assert "no idea" in text
    playground._repr_mimebundle_()
    form = playground.form
    assert form is not None
    assert form.record.options[3][0].startswith("3: fixed · ")
    assert form.record.options[4][0].startswith("4: validation/")


def test_samples_when_they_would_cost_money_then_nothing_is_asked_without_consent_or_price(
    make_playground: MakePlayground,
) -> None:
    """With no records wanted there is nothing to refuse."""
    playground = make_playground(bills=True)

    with pytest.raises(ChargesRefusedError, match="asking base and tuned"):
        live.ask_samples(playground, max_records=3)
    with pytest.raises(SettingsError, match=r"max_dollars = 1e-09: 3 records could cost more"):
        live.ask_samples(playground, max_records=3, max_dollars=1e-9)

    assert playground.history == []
    assert "No record was asked" in repr(live.ask_samples(playground, max_records=0))
