"""One prompt, several models, their replies as they come; and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft import live
from haikuft.errors import ChargesRefusedError, DataError, SettingsError
from haikuft.inference.replies import Reply
from haikuft.live.history import Exchange, append_exchange, read_exchanges
from haikuft.runs.run_record import Run

BASE = "anthropic.claude-3-haiku-20240307-v1:0"
ABSENT = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
TWO = {"base": BASE, "other": BASE}
RECORD = {
    "system": "Name the team.",
    "messages": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "How can I help?"},
        {"role": "user", "content": "The invoice is wrong."},
        {"role": "assistant", "content": "billing"},
    ],
}


@pytest.fixture
def playground(new_run: Callable[..., Run]) -> Callable[..., live.Playground]:
    """`playground(TWO, interactive=True, drop_share=1)` makes one on a sandbox set so."""

    def make(models: dict[str, str] = TWO, *, sandbox: Any = None, **options: Any) -> Any:
        run = new_run(**(sandbox or {}))
        run = replace(run, record=replace(run.record, system_prompt="Be brief."))
        return live.Playground(run, models, records=[RECORD], **options)

    return make


def test_ask_when_two_models_answer_then_both_replies_are_given_and_kept(
    playground: Callable[..., live.Playground],
) -> None:
    """Text, tokens and both times, in the run's own file."""
    asked = playground().ask("The printer is jammed.", temperature=0.5, max_tokens=20)

    assert list(asked.replies) == ["base", "other"]
    for reply in asked.replies.values():
        assert reply.text
        assert reply.error is None
        assert reply.first_seconds is not None
        assert reply.settings == '{"max_tokens": 20, "temperature": 0.5}'
    assert asked.system == "Be brief."


def test_ask_when_asked_twice_then_the_history_holds_both_in_order(
    playground: Callable[..., live.Playground],
) -> None:
    """And a playground opened later finds them."""
    ground = playground()
    exchanges = [ground.ask("one"), ground.ask("two")]

    assert ground.history == exchanges
    assert ground.path == ground.run.directory / "playground.jsonl"
    assert "2 asked so far" in repr(live.Playground(ground.run, TWO))


def test_ask_when_text_comes_then_it_is_given_piece_by_piece(
    playground: Callable[..., live.Playground],
) -> None:
    """Growing until it is the reply."""
    seen: dict[str, list[str]] = {"base": [], "other": []}

    asked = playground().ask("Why?", on_text=lambda name, text: seen[name].append(text))

    for name, texts in seen.items():
        assert texts[-1] == asked.replies[name].text
        assert all(later.startswith(sooner) for sooner, later in pairwise(texts))


def test_ask_when_a_record_is_chosen_then_its_turns_are_sent_and_its_answer_stands_beside(
    playground: Callable[..., live.Playground],
) -> None:
    """The record's own system prompt, too."""
    asked = playground().ask(record=RECORD)

    assert (asked.prompt, asked.system) == ("The invoice is wrong.", "Name the team.")
    assert (asked.reference, bool(asked.record_id)) == ("billing", True)
    assert "Reference: billing" in repr(asked)


def test_ask_when_the_system_prompt_is_emptied_then_none_is_sent(
    playground: Callable[..., live.Playground],
) -> None:
    """Empty is a choice; left out is the one of training."""
    assert playground().ask("Why?", system="").system == ""


def test_ask_when_one_model_fails_then_the_other_answers_and_the_reason_stands_there(
    playground: Callable[..., live.Playground],
) -> None:
    """No such throughput: said in its column."""
    asked = playground({"base": BASE, "tuned": ABSENT}).ask("Why?")

    assert asked.replies["base"].error is None
    assert "it may have been deleted" in str(asked.replies["tuned"].error)
    assert "⚠" in repr(asked)


def test_ask_when_the_connection_is_cut_then_what_came_is_kept_with_the_reason(
    playground: Callable[..., live.Playground],
) -> None:
    """The sandbox cuts streams in their middle."""
    ground = playground({"base": BASE}, sandbox={"drop_share": 1.0})

    asked = ground.ask("Why is the printer jammed?")

    assert "Check the network" in str(asked.replies["base"].error)
    assert ground.history == [asked]
    assert "tokens not known" in repr(asked)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prompt": "  "}, "nothing to ask"),
        ({"prompt": "x", "temperature": 1.5}, "temperature = 1.5: take 0"),
        ({"prompt": "x", "temperature": float("nan")}, "temperature = nan"),
        ({"prompt": "x", "max_tokens": 0}, "Allow at least 1"),
    ],
)
def test_ask_when_it_cannot_be_asked_then_nothing_is_sent_or_kept(
    playground: Callable[..., live.Playground], options: dict[str, Any], words: str
) -> None:
    """Refused in our own words."""
    ground = playground()

    with pytest.raises(SettingsError, match=words):
        ground.ask(**options)

    assert ground.history == []


def test_ask_when_it_would_cost_and_was_not_allowed_then_it_refuses(
    playground: Callable[..., live.Playground],
) -> None:
    """The rule of every paid call."""
    ground = playground()
    run = replace(ground.run, connection=replace(ground.run.connection, bills=True))

    with pytest.raises(ChargesRefusedError, match="allow_charges = True"):
        live.Playground(run, TWO).ask("Why?")
    assert live.Playground(run, TWO, allow_charges=True).ask("Why?").replies["base"].text


def test_playground_when_a_model_is_missing_then_it_says_where_it_comes_from(
    playground: Callable[..., live.Playground],
) -> None:
    """An empty ARN is a forgotten notebook."""
    with pytest.raises(SettingsError, match="Notebook 5"):
        playground({"base": BASE, "tuned": ""})


def test_form_when_looked_at_then_each_control_has_its_label(
    playground: Callable[..., live.Playground],
) -> None:
    """And begins as one would ask in training."""
    form: Any = playground(interactive=True).form
    controls = [form.record, form.prompt, form.system, form.temperature, form.max_tokens]

    assert [one.description for one in [*controls, form.button]] == [
        "Record",
        "Prompt",
        "System prompt (empty: none)",
        "Temperature (0 to 1)",
        "Longest reply (tokens)",
        "Ask all models",
    ]
    assert [one.value for one in controls] == ["", "", "Be brief.", 0.0, 200]


def test_form_when_asked_then_each_column_fills_and_the_figures_stand_below(
    playground: Callable[..., live.Playground],
) -> None:
    """Text as text, whatever it holds."""
    ground = playground(interactive=True)
    form: Any = ground.form
    form.prompt.value = "<b>Why?</b>"
    form.button.click()
    form.asking.join()

    (asked,) = ground.history
    for name, column in form.columns.items():
        assert f"<h4>{name}</h4>" in column.value
        assert "first text after" in column.value
        assert f"{asked.replies[name].output_tokens:,} written" in column.value
    assert "base and other have answered." in form.message.value
    assert "&lt;b&gt;Why?" in form.past.value
    assert form.button.disabled is False


def test_form_when_a_record_is_chosen_then_prompt_system_and_reference_follow(
    playground: Callable[..., live.Playground],
) -> None:
    """And go again with the choice."""
    form: Any = playground(interactive=True).form
    form.record.value = RECORD

    assert (form.prompt.value, form.system.value) == ("The invoice is wrong.", "Name the team.")
    assert "billing" in form.reference.value
    assert "2 earlier turns" in form.reference.value
    form.record.value = ""
    assert form.reference.value == ""
    assert form.record.label == "None: a prompt of my own"


def test_form_when_a_value_cannot_be_then_the_refusal_is_shown(
    playground: Callable[..., live.Playground],
) -> None:
    """No traceback in a thread that nobody sees."""
    form: Any = playground(interactive=True).form
    form.prompt.value, form.temperature.value = "Why?", 3.0
    form.button.click()
    form.asking.join()

    assert "⚠ temperature = 3.0" in form.message.value
    assert form.button.disabled is False


def test_playground_when_shown_then_widgets_are_there_only_for_a_person(
    playground: Callable[..., live.Playground],
) -> None:
    """Text and HTML always."""
    ground = playground()
    ground.ask("Why?")
    alone = ground._repr_mimebundle_()
    interactive = live.Playground(ground.run, TWO, interactive=True)._repr_mimebundle_()

    assert list(alone) == ["text/plain", "text/html"]
    assert "application/vnd.jupyter.widget-view+json" in interactive
    for shown in (alone, interactive):
        assert "1 asked so far, kept in playground.jsonl" in shown["text/plain"]
        assert "1 asked so far" in shown["text/html"]


texts = st.text(alphabet=st.characters(exclude_categories=[]), max_size=40)


@given(prompt=texts, text=texts)
def test_history_when_written_then_it_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, prompt: str, text: str
) -> None:
    """Any text at all; line ends and lone surrogates included."""
    path = tmp_path_factory.mktemp("history") / "playground.jsonl"
    reply = Reply("", "m", text, "end_turn", 1, 2, 0.5, "", None, "now", "{}", first_seconds=0.1)
    exchange = Exchange("now", prompt, "", {"base": reply})

    append_exchange(path, exchange)
    append_exchange(path, exchange)

    assert read_exchanges(path) == [exchange, exchange]


def test_history_when_its_last_line_was_cut_short_then_the_next_one_is_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A kernel died while it wrote."""
    path = tmp_path_factory.mktemp("history") / "playground.jsonl"
    exchange = Exchange("now", "Why?", "", {})
    append_exchange(path, exchange)
    with path.open("ab") as file:
        file.write(b'{"asked_at": "n')
    assert read_exchanges(path) == [exchange]

    append_exchange(path, exchange)

    assert read_exchanges(path) == [exchange, exchange]


def test_history_when_a_line_is_something_else_then_it_is_named(
    playground: Callable[..., live.Playground],
) -> None:
    """File, line, and what to do; the form is there all the same."""
    ground = playground()
    ground.path.write_text('{"a": 1}\n', encoding="utf-8")

    with pytest.raises(DataError, match=r"playground\.jsonl, line 1: .* Delete the line"):
        ground.history  # noqa: B018
    form: Any = live.Playground(ground.run, TWO, interactive=True).form
    assert "line 1" in form.past.value


def test_playground_when_a_line_of_its_past_is_something_else_then_it_is_shown_and_asks(
    playground: Callable[..., live.Playground],
) -> None:
    """The line is named where the number of questions would stand."""
    shown = playground()
    shown.path.write_text("garbage\n")
    assert "whose past cannot be read" in repr(shown)
    assert "line 1" in repr(shown)
