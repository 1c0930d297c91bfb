"""What a base model answers: the option that the text speaks of, or the first sentence."""

import pytest

from haikuft.sandbox.standin.baseline import base_reply, find_options, shared_options

TEXT = "My parcel was never delivered. The courier's shipping page says nothing, I called twice."


def ask(text: str, system: str | None = None) -> str:
    """Ask with one user message."""
    return base_reply(system, [{"role": "user", "content": text}])


@pytest.mark.parametrize(
    "prompt",
    [
        "Classify the ticket. Labels: billing, shipping, returns.",
        "Answer with exactly one of these labels: billing; shipping; returns",
        "Allowed answers: billing | shipping | returns. No explanation.",
        "Which one label fits? billing, shipping, returns",
        "Choose the topic: billing, shipping, or returns.",
        "Pick a category:\n- billing\n- shipping\n- returns\n\nBe exact.",
        "Pick a category:\n\n* billing: invoices\n* shipping: parcels\n* returns: refunds",
        "The categories are:\n1. billing\n2. shipping\n3) returns\nAnswer with the name only.",
        "Labels:\nbilling\nshipping\nreturns\n\nOnly the label, please.",
        "Choose one of billing, shipping or returns.",
        "Decide between billing, shipping and returns.",
        'Sort into one of ["billing", "shipping", "returns"].',
        "The label is one of the following values (billing, shipping, returns).",
        "Reply with `billing`, `shipping` or `returns`: nothing else.",
    ],
)
def test_base_reply_when_options_are_listed_then_takes_the_one_the_text_speaks_of(
    prompt: str,
) -> None:
    """However they are listed, in the system prompt, or above or below the text."""
    assert find_options(prompt).names == ("billing", "shipping", "returns")  # type: ignore[union-attr]
    assert ask(TEXT, prompt) == "shipping"
    assert ask(f"{prompt}\n\nTicket: {TEXT}") == "shipping"
    assert ask(f"{TEXT}\n\n{prompt}") == "shipping"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("account_access, late_delivery", "late_delivery"),
        ("account-access, late-delivery", "late-delivery"),
        ("AccountAccess, LateDelivery", "LateDelivery"),
        ("Account access, Late delivery", "Late delivery"),
        ("calls, other", "calls"),
    ],
)
def test_base_reply_when_labels_are_made_of_words_then_each_word_counts(
    labels: str, expected: str
) -> None:
    """Underscores, hyphens and inner capitals part words; the reply is the label as written."""
    assert ask(TEXT, f"Labels: {labels}.") == expected


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("billing", "billed"),
        ("refunds", "refund"),
        ("cancellation", "cancelled"),
        ("delivery", "delivering"),
        ("queries", "query"),
        ("shipment", "shipped"),
    ],
)
def test_base_reply_when_only_the_ending_differs_then_it_is_the_same_word(
    label: str, word: str
) -> None:
    """Common English endings are taken off both."""
    assert ask(f"I have been {word}", f"Labels: nothing, {label}") == label


def test_base_reply_when_options_share_as_much_then_takes_the_first() -> None:
    """There is no chance in it; and no word in common is as much for all."""
    assert ask("It is broken.", "Labels: billing, shipping.") == "billing"
    assert ask("The shipping bill.", "Labels: shipping, billing.") == "shipping"


def test_base_reply_when_names_share_as_much_then_descriptions_decide() -> None:
    """What the prompt says of an option counts, but less than its name."""
    system = "Categories:\n- first: money, invoices\n- second: parcels, couriers"
    assert ask("Two parcels are lost.", system) == "second"
    assert ask("At first two parcels were lost.", system) == "first"


def test_base_reply_when_the_text_names_a_list_too_then_the_longer_one_is_the_options() -> None:
    """A list in the text itself is not the list of labels."""
    prompt = "Ticket: pick one: red or blue shipping boxes.\n\nLabels: billing, shipping, returns"
    assert ask(prompt) == "shipping"


def test_base_reply_when_system_and_text_list_options_then_the_system_prompt_decides() -> None:
    """The instructions stand above the text."""
    assert ask("Choose: yes, no or maybe for shipping", "Labels: billing, shipping.") == "shipping"


@pytest.mark.parametrize(
    "system",
    [None, "", "You are a kind assistant.", "Write one sentence: be brief, clear and kind."],
)
def test_base_reply_when_there_are_no_options_then_is_the_first_sentence(
    system: str | None,
) -> None:
    """Of the last user message; commas alone make no options."""
    messages = [
        {"role": "user", "content": "Hello there."},
        {"role": "assistant", "content": "Hello, how can I help?"},
        {"role": "user", "content": TEXT},
    ]
    assert base_reply(system, messages) == "My parcel was never delivered."


@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": ""}]])
def test_base_reply_when_nothing_was_said_then_is_empty(messages: list[dict[str, str]]) -> None:
    """There is nothing to extract."""
    assert base_reply(None, messages) == ""


def test_find_options_when_entries_are_whole_sentences_then_there_are_none() -> None:
    """Long entries are prose, repeated ones no choice."""
    prose = "this is the first of many long reasons, and that would be the other one of them all"
    assert find_options(f"Choose: {prose}") is None
    assert find_options("Choose: red, red") is None


def test_shared_options_when_the_text_speaks_of_some_then_names_just_those() -> None:
    """Each counts, not only the one that the base model would answer."""
    prompt = "The invoice for the parcel is wrong.\nLabels: invoice, parcel-lost, noise"
    assert shared_options(prompt) == ["invoice", "parcel-lost"]
    assert shared_options("The invoice is wrong.") == []
