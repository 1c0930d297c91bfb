"""Reserved strings: found as AWS finds them, and each with another way to write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.dataset.validate.reserved_strings import build_search, check_reserved


def find(text, base_model=NOVA_MICRO, *, answer=False):
    """Give what is said of a text."""
    return list(check_reserved(text, "here", base_model, answer=answer))


@pytest.mark.parametrize("word", NOVA_MICRO.reserved_strings)
@pytest.mark.parametrize("write", [str, str.upper, str.lower])
def test_word_when_it_stands_in_a_prompt_then_error_with_another_way_to_write_it(word, write):
    """All nine, in upper and lower case; what is suggested instead may stand."""
    (fault,) = find(f"before {write(word)} after")
    assert (fault.code, fault.place) == ("reserved-string", "here")
    assert f'the text holds "{write(word)}", which is reserved' in fault.message
    suggestion = fault.fix.partition('such as "')[2].removesuffix('".')
    assert suggestion
    assert find(suggestion) == []


def test_word_when_the_model_says_it_in_an_answer_then_a_warning():
    """The guides name prompts alone, the validator looks everywhere."""
    (fault,) = find("Bot: hello", answer=True)
    assert fault.code == "reserved-in-answer"
    assert 'the answer holds "Bot:"' in fault.message


@pytest.mark.parametrize("longer", ["subsystem:", "superuser:", "robot:"])
def test_word_when_it_is_the_end_of_a_harmless_one_then_still_an_error_that_says_why(longer):
    """AWS's check is a plain one for the letters, and so must ours be."""
    (fault,) = find(f"the new {longer} see below")
    assert fault.code == "reserved-string"
    assert f'inside "{longer}"' in fault.message
    assert "AWS's own check is for the letters alone" in fault.message


@pytest.mark.parametrize("text", ["user :", "the system", "< image >", "EOS", "unk", "thought"])
def test_word_when_it_is_not_quite_there_then_nothing(text):
    """Without its colon or brackets a word is a word."""
    assert find(text) == []


def test_string_when_the_model_reserves_it_as_it_stands_then_case_and_line_end_count():
    """Claude's are the first words of a line, and nowhere else."""
    (fault,) = find("a\nHuman: b", CLAUDE_3_HAIKU)
    assert fault.message == 'a line of the text begins with "Human:", which is reserved'
    assert find("Human: b\nhuman: c", CLAUDE_3_HAIKU) == []
    assert find("User: b", CLAUDE_3_HAIKU) == []


LETTERS = st.text(alphabet=[*"usernbotaihmg:<>[]EOSK\n ſİK"], max_size=8)
WORDS = st.sampled_from([*NOVA_MICRO.reserved_strings, *CLAUDE_3_HAIKU.reserved_strings])
TEXTS = st.lists(LETTERS | WORDS | WORDS.map(str.swapcase), max_size=4).map("".join)


@given(text=TEXTS | st.text(), base_model=st.sampled_from(list(BASE_MODELS.values())))
def test_search_when_asked_then_it_says_what_the_check_says(text, base_model):
    """Both agree, and for Nova with a search in lower case, as AWS's is."""
    found = bool(build_search(base_model)(text))
    assert found == bool(find(text, base_model))
    if base_model.reserved_in_prompts:
        lower = text.lower()
        assert found == any(word.lower() in lower for word in base_model.reserved_strings)
