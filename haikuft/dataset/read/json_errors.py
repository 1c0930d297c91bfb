"""Why a line cannot be decoded as UTF-8 and JSON, with its column, in our own words."""

import re
from json import JSONDecodeError

from haikuft.dataset.problems import Finding, make_finding, quote
from haikuft.package_data import read_toml

CONSTANTS = ("NaN", "Infinity", "-Infinity")  # Python's json reads them, JSON has none of them

_TEXT = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf"{_TEXT}|(-?Infinity|NaN)", re.DOTALL)
_LONG_NUMBER = re.compile(rf"{_TEXT}|(-?\d{{1000,}})", re.DOTALL)
_BRACKET = re.compile(rf"{_TEXT}|([\[{{])", re.DOTALL)
_CAUSES = read_toml(__package__, "json_errors.toml")
# How the message of Python's json begins -> the cause.
_BEGINNINGS = {
    "Extra data": "second-value",
    "Invalid control character": "control-character",
    "Invalid \\": "escape",
    "Unterminated string": "open-text",
}
_PYTHON = re.compile("None|True|False")
_DEEP = 500  # brackets, of which a record needs three


def explain_encoding(data: bytes, error: UnicodeDecodeError) -> Finding:
    """Name the column and the byte that is not UTF-8."""
    column = len(data[: error.start].decode("utf-8")) + 1
    byte = data[error.start : error.start + 1]
    guess = byte.decode("cp1252", "ignore")
    meant = f" (perhaps {quote(guess)} in an old Windows encoding)" if guess.isalpha() else ""
    code = byte.hex().upper()
    return make_finding("not-utf8", column=column, byte=code, meant=meant)


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
    name = "byte-order-mark"
    if near != "\ufeff":
        name = _name_cause(text, position, near, error.msg)
    word = _PYTHON.match(text, position)
    values = {"code": ord(near or " "), "near": quote(near), "word": word[0] if word else ""}
    cause = _CAUSES[name]["cause"].format_map(values)
    return _not_json(position + 1, f"not valid JSON, {cause}", _CAUSES[name]["fix"])


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


def _name_cause(text: str, position: int, near: str, words: str) -> str:
    """Name the row of `json_errors.toml` that applies; `words` are Python's."""
    for beginning, name in _BEGINNINGS.items():
        if words.startswith(beginning):
            return "carriage-return" if name == "second-value" and "\r" in text else name
    if near == "," and text[position + 1 :].lstrip()[:1] in ("}", "]"):
        return "last-comma"
    if near == "'":
        return "single-quotes"
    if not text[position:].strip():
        return "end"
    return "python" if _PYTHON.match(text, position) else "unexpected"
