"""A file known for what it is by its first bytes, before anything is read as a record."""

import re

from haikuft.dataset.problems import Finding

# What a file starts with that is no JSON Lines file at all -> what it is, how to mend it.
_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it with `gunzip`."),
    (b"BZh", "compressed with bzip2", "Unpack it with `bunzip2`."),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it with `unxz`."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it with `unzstd`."),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or export its rows."),
    (b"PAR1", "a Parquet file", "Export its rows as JSON Lines."),
    (b"%PDF", "a PDF document", "Take the examples it was made from."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Export its rows as JSON Lines."),
    (b"\xff\xfe", "UTF-16 text", "Save it again as UTF-8."),
    (b"\xfe\xff", "UTF-16 text", "Save it again as UTF-8."),
    (b"{\0", "UTF-16 text", "Save it again as UTF-8."),
    (b"\0{", "UTF-16 text", "Save it again as UTF-8."),
)
_LOOKED_AT = 4096  # bytes
_ENOUGH = 256  # bytes; fewer are judged line by line
# Control characters that no text has, but for tab, line ends, form feed and escape.
_CONTROLS = bytes({*range(32)} - {*b"\t\n\r\f\v\b\x1b"})
_HEADING = re.compile(r'"[^"{}]{1,60}"|[^\W\d][\w .-]{0,59}')


def recognise_signature(first: bytes) -> Finding | None:
    """Recognise by its first bytes a file that cannot be JSON Lines."""
    for signature, name, mend in _SIGNATURES:
        if first.startswith(signature):
            return Finding("not-text", "", f"the file is {name}, not JSON Lines", mend)
    head = first[:_LOOKED_AT]
    controls = len(head) - len(head.translate(None, delete=_CONTROLS))
    if len(head) >= _ENOUGH and controls * 20 > len(head):
        return Finding(
            "not-text",
            "",
            "the file holds binary data, not text",
            "Name a file of JSON Lines: UTF-8 text with a JSON object on each line.",
        )
    return None


def recognise_table(first: bytes) -> tuple[str, list[str]]:
    """Name the format of a file that begins with headings, "csv" or "tsv", and give those.

    Returns:
        ("", []) if it is neither.
    """
    lines = first[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").splitlines()
    try:
        head = lines[0].decode("utf-8") if lines else ""
    except UnicodeDecodeError:
        return "", []
    if len(lines) > 1 and lines[1].lstrip().startswith((b"{", b"[")):
        return "", []
    for mark, name in (("\t", "tsv"), (",", "csv"), (";", "csv")):
        cells = [cell.strip(" ") for cell in head.split(mark)]
        if len(cells) > 1 and all(map(_HEADING.fullmatch, cells)):
            return name, [cell.strip('"') for cell in cells]
    return "", []
