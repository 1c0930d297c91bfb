"""Why a line cannot be decoded as UTF-8 and JSON, with its column, in our own words."""

import re
from json import JSONDecodeError

from haikuft.dataset.problems import Finding, quote

CONSTANTS = ("NaN", "Infinity", "-Infinity")  # Python's json reads them, JSON has none of them

_TEXT = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf"{_TEXT}|(-?Infinity|NaN)", re.DOTALL)
_LONG_NUMBER = re.compile(rf"{_TEXT}|(-?\d{{1000,}})", re.DOTALL)
_BRACKET = re.compile(rf"{_TEXT}|([\[{{])", re.DOTALL)
_DEEP = 500  # brackets, of which a record needs three


def explain_encoding(data: bytes, error: UnicodeDecodeError) -> Finding:
    """Name the column and the byte that is not UTF-8."""
    column = len(data[: error.start].decode("utf-8")) + 1
    byte = data[error.start : error.start + 1]
    guess = byte.decode("cp1252", "ignore")
    meant = f" (perhaps {quote(guess)} in an old Windows encoding)" if guess.isalpha() else ""
    return Finding(
        "not-utf8",
        "",
        f"column {column}: the byte 0x{byte.hex().upper()} is not UTF-8{meant}",
        "Save the file as UTF-8.",
    )


def explain_json(text: str, error: JSONDecodeError) -> Finding:
    """Name column and cause in our words, the same on every Python."""
    position = error.pos
    before = text[:position].rstrip()
    near = text[position : position + 1]
    if near and near in "}]" and before.endswith(","):
        # Python 3.13 points at the comma, earlier ones at the bracket after it.
        position, near = len(before) - 1, ","
    elif not text[position:].strip():
        position = len(before)
    cause, fix = _explain_cause(text, position, near, error.msg)
    return _not_json(position + 1, f"not valid JSON, {cause}", fix)


def explain_value_error(text: str, words: str) -> Finding:
    """Name the column of NaN, an infinity, or an integer of thousands of digits."""
    if words in CONSTANTS:
        what, pattern = words, _CONSTANT
    else:
        what, pattern = "a number of thousands of digits", _LONG_NUMBER
    return _not_json(_find(pattern, text), f"{what} is not allowed in JSON", "Write it as text.")


def explain_nesting(text: str) -> Finding:
    """Name the column from which on brackets are nested too deeply to be parsed."""
    column = _find(_BRACKET, text, _DEEP)
    return _not_json(column, "brackets are nested too deeply", "Write the record as flat text.")


def _not_json(column: int, what: str, fix: str) -> Finding:
    return Finding("not-json", "", f"column {column}: {what}", fix)


def _find(pattern: re.Pattern[str], text: str, nth: int = 1) -> int:
    """Give the column of the nth match outside of texts; 1 if there are not so many."""
    for match in pattern.finditer(text):
        if match.group(1):
            nth -= 1
            if not nth:
                return match.start() + 1
    return 1


def _explain_cause(text: str, position: int, near: str, words: str) -> tuple[str, str]:
    if near == "\ufeff":
        return "there is a byte order mark here", "Remove it; save as UTF-8 without one."
    if words.startswith("Extra data"):
        if "\r" in text:
            return (
                "a second value follows, after a carriage return alone",
                "End lines with a line feed (LF), as editors call the Unix way.",
            )
        return "a second value follows the first", "Put each record on a line of its own."
    if near == "," and text[position + 1 :].lstrip()[:1] in ("}", "]"):
        return "there is a comma before a closing bracket", "Remove the comma."
    if near == "'":
        return "single quotes", "Write all keys and texts in double quotes."
    if words.startswith("Invalid control character"):
        return (
            f"a bare control character (U+{ord(near or ' '):04X}) inside a text",
            r"Write it as an escape, such as \n or \t, or remove it.",
        )
    if words.startswith("Invalid \\"):
        return "a backslash that escapes nothing", "Write a backslash itself as two of them."
    if words.startswith("Unterminated string"):
        return "a text that starts here has no closing quote", (
            r"Close it; a double quote inside a text is written \", a line break \n."
        )
    if not text[position:].strip():
        return "the line ends here", (
            "Close all brackets, and write each record whole on one line."
        )
    word = text[position : position + 5]
    for name in ("None", "True", "False"):
        if word.startswith(name):
            return f"{name} is Python, not JSON", "Write the file with json.dumps."
    return f"{quote(near)} is not expected here", "Write each record with a JSON library."
