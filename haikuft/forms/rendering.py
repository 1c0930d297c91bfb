"""Forms as HTML and as plain text. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikuft import html
from haikuft.forms.fields import Field, Value, describe_automatic
from haikuft.html import escape

Derived = list[tuple[str, str]]  # (name, value) of what is derived from the chosen values
Picture = tuple[str, str]  # one thing as HTML and as plain text

WARNING = "Warning"  # derived values of this name are marked


@dataclass(frozen=True, slots=True)
class Content:
    """What a form holds, and what it shows.

    Attributes:
        fields: The fields.
        values: Parameter's name -> what its box holds now.
        refusal: Why the values cannot be used; "" when they can.
        derived: What is derived from the values.
        picture: A picture of the values, as HTML and as plain text.
        stale: Names of values that have changed since a cell below used them.
        saved: What was saved last; "" for nothing.

    """

    title: str
    fields: Sequence[Field]
    values: Mapping[str, Value]
    refusal: str
    derived: Derived
    picture: Picture
    stale: Sequence[str]
    saved: str

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The label and the value of each field."""
        return [(one.label, describe_value(one, self.values[one.name])) for one in self.fields]

    def __str__(self) -> str:
        pairs = [*self.rows, *self.derived]
        width = max(len(label) for label, _ in pairs)
        lines = [
            f"  {label:<{width}}  " + value.replace("\n", "\n" + " " * (width + 4))
            for label, value in pairs
        ]
        parts = (self.refusal, describe_stale(self.stale), self.picture[1], self.saved)
        return "\n".join([self.title, *lines, *filter(None, parts)])

    def to_html(self) -> str:
        """Build the same as HTML that needs neither script nor style sheet."""
        style = html.INLINE_STYLE
        table = html.build_table(self.rows, caption=self.title, row_headings=True, style=style)
        return table + self.message + (write_block(self.saved) if self.saved else "")

    @property
    def message(self) -> str:
        """What stands below the boxes, as HTML: what to run again, the refusal or the picture."""
        return write_message(self.derived, self.refusal, self.stale) + self.picture[0]


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
    shown = (f"{value:.12g}" if isinstance(value, float) else str(value)) or "(empty)"
    return f"{shown} (automatic)" if describe_automatic(field, value) else shown
