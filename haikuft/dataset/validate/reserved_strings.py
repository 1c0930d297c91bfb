"""Reserved strings: texts that a base model does not allow in its records.

Some models reserve an exact string; others reserve words in prompts, in upper and lower case, and
then inside longer words too.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from haikuft.base_models import BaseModel
from haikuft.dataset.problems import Finding, make_finding, quotable, quote

_ANY_CASE = re.IGNORECASE | re.ASCII  # AWS's validator compares both in lower case
_MAX_SHOWN = 40  # characters of the word around a reserved one


@cache
def build_search(base_model: BaseModel) -> Callable[[str], object]:
    """Build a search that is true for a text with any of a model's reserved strings."""
    words = base_model.reserved_strings
    if not base_model.reserved_in_prompts:
        # The engine searches fast for words that all begin with the same character, a line end.
        return re.compile("|".join(map(re.escape, words)) or "(?!)").search
    # So it does for the last character of a word, which has no upper and lower case.
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
            bare = word.strip()
            message = f'a line of the text begins with "{quotable(bare)}", which is reserved'
            yield Finding("reserved-string", place, message, _suggest(bare))


def _describe_word(
    text: str, match: re.Match[str], place: str, base_model: BaseModel, answer: bool
) -> Finding:
    word = quote(match[0])
    around = text[text[: match.start()].rfind(" ") + 1 : match.end()]
    if match.start() and text[match.start() - 1].isalnum():
        longer = around.split()[-1][-_MAX_SHOWN:]
        word = f"{word} inside {quote(longer)}"
    code = "reserved-in-answer" if answer else "reserved-string"
    return make_finding(code, place, word=word, model=base_model.name, fix=_suggest(match[0]))


def _suggest(word: str) -> str:
    bare = word.strip("<>[]:")
    other = f"{bare} -" if word.endswith(":") else f"({bare})"
    return f'Write it otherwise, such as "{quotable(other)}".'
