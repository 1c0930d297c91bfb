"""Forms as HTML and as plain text. Pure."""

from collections.abc import Sequence

from haikuft import html
from haikuft.forms.fields import Field, Value
from haikuft.html import escape

Derived = list[tuple[str, str]]  # (name, value) of what is derived from the chosen values
Rows = list[tuple[str, str]]  # (label, value)

WARNING = "Warning"  # derived values of this name are marked


def write_plain(
    title: str,
    rows: Rows,
    derived: Derived,
    refusal: str,
    stale: Sequence[str],
    picture: str,
    saved: str,
) -> str:
    """Write a form as plain text, for a log or a terminal."""
    pairs = [*rows, *derived]
    width = max(len(label) for label, _ in pairs)
    lines = [
        f"  {label:<{width}}  " + value.replace("\n", "\n" + " " * (width + 4))
        for label, value in pairs
    ]
    parts = (refusal, describe_stale(stale), picture, saved)
    return "\n".join([title, *lines, *(part for part in parts if part)])


def write_html(
    title: str,
    rows: Rows,
    derived: Derived,
    refusal: str,
    stale: Sequence[str],
    picture: str,
    saved: str,
) -> str:
    """Write a form as a table that needs neither script nor style sheet."""
    table = html.build_table(rows, caption=title, row_headings=True, style=html.INLINE_STYLE)
    block = write_block(saved) if saved else ""
    return f"{table}{write_message(derived, refusal, stale)}{picture}{block}"


def describe_stale(names: Sequence[str]) -> str:
    """Say which values have changed since a cell below used them; "" for none."""
    if not names:
        return ""
    return f"Changed since it was used below: {', '.join(names)}. Run the cells below again."


def write_message(derived: Derived, refusal: str, stale: Sequence[str] = ()) -> str:
    """Write what must be run again, and the refusal, else the derived values."""
    if stale:
        changed = f'<p role="status" class="haikuft-stale">↻ {escape(describe_stale(stale))}</p>'
        return changed + write_message(derived, refusal)
    if refusal:
        lines = "<br>".join(escape(line) for line in refusal.split("\n") if line)
        return f'<p role="alert" class="haikuft-refusal">⚠ {lines}</p>'
    if not derived:
        return ""
    lines = "".join(
        f"<div>{'⚠ ' if what == WARNING else ''}{escape(what)}: <b>{escape(how)}</b></div>"
        for what, how in derived
    )
    return f'<div role="status" class="haikuft-derived">{lines}</div>'


def write_note(help_text: str, faults: Sequence[str]) -> str:
    """Write the line below a box: what its value means, or why it cannot be used."""
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


def describe_value(field: Field, value: Value) -> str:
    """Write a value as text; of a list's choice, its description."""
    if field.choices and isinstance(value, str) and value in field.choices:
        meaning = field.choices[value]
        return meaning if not value or value in meaning else f"{value} ({meaning})"
    if isinstance(value, list):
        return ", ".join(value) or "(empty)"
    return (f"{value:.12g}" if isinstance(value, float) else str(value)) or "(empty)"
