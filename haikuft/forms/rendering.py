"""How forms read: pure functions from values to HTML and plain text."""

from collections.abc import Mapping, Sequence
from html import escape

from haikuft.forms.fields import Field, Value, describe

Facts = list[tuple[str, str]]  # what follows from the values: (what, how much)
Rows = list[tuple[str, str]]  # (label, value)

WARNING = "Warning"  # facts of this name are marked and stand out


def list_rows(fields: Sequence[Field], values: Mapping[str, Value]) -> Rows:
    """Pair every label with its value, written for reading; a list's choice in its words."""
    return [(field.label, _describe(field, values[field.name])) for field in fields]


def write_plain(title: str, rows: Rows, facts: Facts, refusal: str, written: str) -> str:
    """Write a form as plain text, for a log or a terminal."""
    pairs = [*rows, *facts]
    width = max(len(label) for label, _ in pairs)
    lines = [title, *(f"  {label:<{width}}  {value}" for label, value in pairs)]
    return "\n".join([*lines, *(part for part in (refusal, written) if part)])


def write_html(title: str, rows: Rows, facts: Facts, refusal: str, written: str) -> str:
    """Write a form as a table that needs neither script nor style."""
    body = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(label)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for label, value in rows
    )
    caption = f'<caption style="text-align:left"><b>{escape(title)}</b></caption>'
    block = write_block(written) if written else ""
    return f"<table>{caption}<tbody>{body}</tbody></table>{write_message(facts, refusal)}{block}"


def write_message(facts: Facts, refusal: str) -> str:
    """Write the refusal, else what follows from the values."""
    if refusal:
        lines = "<br>".join(escape(line) for line in refusal.split("\n") if line)
        return f'<p role="alert" class="haikuft-refusal">⚠ {lines}</p>'
    if not facts:
        return ""
    lines = "".join(
        f"<div>{'⚠ ' if what == WARNING else ''}{escape(what)}: <b>{escape(how)}</b></div>"
        for what, how in facts
    )
    return f'<div role="status" class="haikuft-facts">{lines}</div>'


def write_note(help_text: str, faults: Sequence[str]) -> str:
    """Write what stands below a box: what it means, or why its value cannot be."""
    if faults:
        words = "<br>".join(f"⚠ {escape(fault)}" for fault in faults)
        return f'<div class="haikuft-help haikuft-refusal">{words}</div>'
    return f'<div class="haikuft-help">{escape(help_text)}</div>' if help_text else ""


def write_block(text: str) -> str:
    """Write lines for a terminal as they are."""
    return f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'


def sort_faults(refusal: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Find the lines of a refusal that speak of one value, `name = …`; name -> lines."""
    found: dict[str, list[str]] = {}
    for line in refusal.split("\n"):
        name = line.partition(" = ")[0]
        if name in names:
            found.setdefault(name, []).append(line)
    return found


def _describe(field: Field, value: Value) -> str:
    words = describe(value)
    if field.choices and isinstance(value, str) and value in field.choices:
        meaning = field.choices[value]
        return meaning if not value or value in meaning else f"{value} ({meaning})"
    return words
