"""The rules for one text of a record, in any format."""

import re
import unicodedata
from collections.abc import Iterator

from haikuft.base_models import BaseModel
from haikuft.dataset.problems import Finding, make_finding
from haikuft.dataset.validate.reserved_strings import check_reserved

_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
# Fillers, joiners and variation selectors: not white space to Unicode, but invisible.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def check_text(text: str, place: str, base_model: BaseModel, *, answer: bool) -> Iterator[Finding]:
    """Find everything wrong with one text.

    Args:
        text: The text.
        place: Its place in the record.
        base_model: Whose reserved strings are looked for.
        answer: Whether the assistant says it.
    """
    if not text:
        yield make_finding("empty-text", place)
    elif all(map(is_invisible, text)):
        yield make_finding("invisible-text", place)
    elif text[0].isspace() or text[-1].isspace():
        yield make_finding("outer-white-space", place)
    yield from check_reserved(text, place, base_model, answer=answer)
    if "\0" in text:
        yield make_finding("nul", place)
    if not text.isascii() and _SURROGATE.search(text):
        yield make_finding("lone-surrogate", place)


def is_invisible(char: str) -> bool:
    """Whether a character shows nothing: white space, control, filler, joiner."""
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES or bool(_INVISIBLE.match(char))
