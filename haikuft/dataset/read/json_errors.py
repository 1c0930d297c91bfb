"""Why a line cannot be decoded as UTF-8 and JSON, with its column, in our own words."""

import re
from itertools import islice
from json import JSONDecodeError

from haikuft.dataset.problems import Finding, make_finding, quote
from haikuft.package_data import read_toml

_TEXT = r'"(?:[^"\\]|\\.)*"'
# What Python's json reads and JSON has not, and integers of more digits than Python reads.
_ODD_NUMBER = re.compile(rf"{_TEXT}|(-?Infinity|NaN|-?\d{{4301,}})", re.DOTALL)
_BRACKET = re.compile(rf"{_TEXT}|([\[{{])", re.DOTALL)
_CAUSES = read_toml(__package__, "json_errors.toml")
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


def explain_number(text: str) -> Finding:
    """Name the column of the first NaN, infinity, or integer of thousands of digits."""
    column, found = _find(_ODD_NUMBER, text)
    what = found if found[-1:].isalpha() else "a number of thousands of digits"
    return _not_json(column, f"{what} is not allowed in JSON", "Write it as text.")


def explain_nesting(text: str) -> Finding:
    """Name the column from which on brackets are nested too deeply to be parsed."""
    column, _ = _find(_BRACKET, text, _DEEP)
    return _not_json(column, "brackets are nested too deeply", "Write the record as flat text.")


def _not_json(column: int, what: str, fix: str) -> Finding:
    return Finding("not-json", "", f"column {column}: {what}", fix)


def _find(pattern: re.Pattern[str], text: str, nth: int = 1) -> tuple[int, str]:
    """Give column and text of the nth match outside of texts; column 1 if there are not so many."""
    outside = (match for match in pattern.finditer(text) if match[1])
    match = next(islice(outside, nth - 1, None), None)
    return (match.start() + 1, match[1]) if match else (1, "")


def _name_cause(text: str, position: int, near: str, words: str) -> str:
    """Name the row of `json_errors.toml` that applies; `words` are Python's."""
    for name, row in _CAUSES.items():
        if "begins" in row and words.startswith(row["begins"]):
            return "carriage-return" if name == "second-value" and "\r" in text else name
    if near == "," and text[position + 1 :].lstrip()[:1] in ("}", "]"):
        return "last-comma"
    if near == "'":
        return "single-quotes"
    if not text[position:].strip():
        return "end"
    return "python" if _PYTHON.match(text, position) else "unexpected"
