"""Reserved strings: where a text holds what a base model keeps for itself.

Some models reserve a string as it stands; others reserve words in prompts, in upper and lower
case, and then inside longer words too.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from haikuft.base_models import BaseModel
from haikuft.dataset.problems import Finding, quotable, quote

_ANY_CASE = re.IGNORECASE | re.ASCII  # AWS's validator holds texts in lower case against words
_LONGEST_SHOWN = 40  # characters of the word around a reserved one


@cache
def build_search(base_model: BaseModel) -> Callable[[str], object]:
    """Build the quick look: true where a text holds any of a model's reserved strings."""
    words = base_model.reserved_strings
    if not base_model.reserved_in_prompts:
        # A pattern whose words all begin with a line end leaps from one to the next.
        return re.compile("|".join(map(re.escape, words)) or "(?!)").search
    # So does one that begins with the character a word ends in, which has no other case.
    searches = [
        re.compile(
            re.escape(end)
            + "(?:"
            + "|".join(f"(?<={re.escape(word)})" for word in words if word[-1] == end)
            + ")",
            _ANY_CASE,
        ).search
        for end in dict.fromkeys(word[-1] for word in words)
    ]
    return lambda text: any(search(text) for search in searches)


def check_reserved(
    text: str, place: str, base_model: BaseModel, *, answer: bool
) -> Iterator[Finding]:
    """Find each reserved string that a text holds, once."""
    for word in base_model.reserved_strings:
        if base_model.reserved_in_prompts:
            if match := re.search(re.escape(word), text, _ANY_CASE):
                yield _describe_word(text, match, place, base_model, answer)
        elif word in text:
            yield Finding(
                "reserved-string",
                place,
                f'a line of the text begins with "{quotable(word.strip())}", which is reserved',
                _suggest(word.strip()),
            )


def _describe_word(
    text: str, match: re.Match[str], place: str, base_model: BaseModel, answer: bool
) -> Finding:
    word = quote(match[0])
    around = text[text[: match.start()].rfind(" ") + 1 : match.end()]
    if match.start() and text[match.start() - 1].isalnum():
        longer = around.split()[-1][-_LONGEST_SHOWN:]
        word = f"{word} inside {quote(longer)}"
    if answer:
        return Finding(
            "reserved-in-answer",
            place,
            f"the answer holds {word}, which is reserved in prompts for {base_model.name} (AWS's "
            "validator looks at answers too, its guides name prompts alone)",
            _suggest(match[0]),
        )
    return Finding(
        "reserved-string",
        place,
        f"the text holds {word}, which is reserved in prompts for {base_model.name} (AWS's own "
        "check is for the letters alone, in upper and lower case and inside longer words)",
        _suggest(match[0]),
    )


def _suggest(word: str) -> str:
    bare = word.strip("<>[]:")
    other = f"{bare} -" if word.endswith(":") else f"({bare})"
    return f'Write it otherwise, such as "{quotable(other)}".'
