"""What a file is, by its first bytes and the end of its name, before a record is read."""

import re

from haikuft.dataset.formats import CSV, EXCEL, PARQUET, TSV
from haikuft.dataset.problems import Finding
from haikuft.package_data import read_csv

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
_PARQUET, _ZIP = b"PAR1", b"PK\x03\x04"
# First bytes of files that are not JSON Lines, what they are, and what to do.
_SIGNATURES = [
    (bytes.fromhex(row["first bytes"]), row["what"], row["fix"])
    for row in read_csv(__package__, "signatures.csv")
]
_HEAD_BYTES = 4096  # that are searched for control characters and headings
_MIN_BINARY_BYTES = 256  # shorter files are checked line by line
# Control characters that no text has; tab, line ends, form feed and escape are allowed.
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\v\b\x1b"})
_OPEN = (b"{", b"[", b",", b'":')  # ends of a line inside a JSON value that goes on
_HEADING = re.compile(r'"[^"{}]{1,60}"|[^\W\d][\w .-]{0,59}')


def recognise_signature(first: bytes) -> Finding | None:
    """Recognise by its first bytes a file that cannot be JSON Lines."""
    for signature, name, fix in _SIGNATURES:
        if first.startswith(signature):
            return Finding("not-text", "", f"the file is {name}, not JSON Lines", fix)
    head = first[:_HEAD_BYTES]
    controls = len(head) - len(head.translate(None, delete=_CONTROLS))
    if len(head) >= _MIN_BINARY_BYTES and controls * 20 > len(head):
        fix = "Name a file of JSON Lines: UTF-8 text with a JSON object on each line."
        return Finding("not-text", "", "the file holds binary data, not text", fix)
    return None


def spans_lines(first: bytes) -> bool:
    """Whether a file begins as a JSON list or object that is written over many lines.

    Args:
        first: Its first bytes.
    """
    line, _, rest = first.removeprefix(BYTE_ORDER_MARK).lstrip().partition(b"\n")
    line, following = line.rstrip(), rest.lstrip().partition(b"\n")[0].rstrip()
    if line.startswith(b"["):
        return bool(following) and line.endswith(_OPEN)
    if not line.startswith(b"{"):
        return False
    if line.endswith((b"{", b",", b'":')) and following.startswith((b'"', b"[")):
        return True
    return line.endswith((b"[", b'":')) and following.endswith(_OPEN)


def recognise_table(first: bytes, suffix: str = "") -> str:
    """Name the table that a file holds: "csv", "tsv", "parquet", "excel", or "" for none.

    Args:
        first: Its first bytes.
        suffix: The end of its name in lower case, e.g. ".csv".
    """
    if first.startswith(_PARQUET):
        return PARQUET
    if first.startswith(_ZIP) and (suffix in (".xlsx", ".xlsm") or b"xl/" in first):
        return EXCEL
    try:
        line = first.removeprefix(BYTE_ORDER_MARK).split(b"\n", 1)[0].decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        return ""
    if not line or line.strip().startswith(("{", "[")):
        return ""
    if suffix in (".csv", ".tsv"):
        return suffix[1:]
    if line.replace("\t", "").isprintable() and any(mark in line for mark in "\t,;"):
        return TSV if "\t" in line else CSV
    return ""


def find_headings(first: bytes) -> list[str]:
    """Give the column names of a CSV or TSV file whose first line certainly holds names alone.

    Returns:
        [] for a first line that may be something else.
    """
    lines = first[:_HEAD_BYTES].removeprefix(BYTE_ORDER_MARK).splitlines()
    if not lines or (len(lines) > 1 and lines[1].lstrip().startswith((b"{", b"["))):
        return []
    head = lines[0].decode("utf-8", "replace")
    for separator in "\t,;":
        cells = [cell.strip(" ") for cell in head.split(separator)]
        if len(cells) > 1 and all(map(_HEADING.fullmatch, cells)):
            return [cell.strip('"') for cell in cells]
    return []
