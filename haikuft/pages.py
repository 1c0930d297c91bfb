"""Pages that need nothing else: one HTML file with its tables and figures in it.

A page loads nothing from anywhere, so it can be sent by mail and opened on a phone.
"""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

# The browser itself refuses whatever a page would fetch; what is written in the page works.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-size: 1.15rem; border-left: 4px solid #1f5fa8; padding-left: .8rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0;
         border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .9rem; }
"""


def build_page(title: str, sections: Iterable[str]) -> str:
    """Put sections of HTML under a title into one page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{POLICY}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def write_whole(path: Path, page: str) -> Path:
    """Write a page so that no reader meets half of one, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(page.encode("utf-8", "backslashreplace"))
    return beside.replace(path)


def build_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Build a table of texts and numbers; empty headings draw none."""
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    head = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def build_figure(path: Path) -> str:
    """Put a PNG file into the page, with the sentence it carries for those who cannot see it."""
    from haikuft.plots import read_alt_text  # late: it loads matplotlib

    words = path.stem.replace("_", " ").capitalize()
    image = base64.b64encode(path.read_bytes()).decode("ascii")
    alt = read_alt_text(path) or words
    return (
        f'<figure><img alt="{escape(alt)}" src="data:image/png;base64,{image}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        if value != value:  # NaN is the only number unlike itself
            return "<td></td>"
        text = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
        return f'<td class="number">{text}</td>'
    return f"<td>{escape(str(value))}</td>"
