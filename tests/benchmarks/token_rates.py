"""Fit `haikuft/dataset/token_rates.csv` on a tokenizer, and count the tokens of the test's texts.

    python tests/benchmarks/token_rates.py TOKENIZER.json

TOKENIZER.json is the file of that name in the PyPI wheel anthropic 0.34.2 (`pip download --no-deps
anthropic==0.34.2`, then read it as a zip). Needs the packages tokenizers and scipy, for which an
environment of its own is best. The rates are fitted on one half of the texts of `written_texts`;
the counts of the other half go to `tests/dataset/token_counts.csv`, and a test holds the ranges to
them. Prints how many of those texts are inside their range.
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from usage import parse
from written_texts import KINDS, draw_text

ROOT = Path(__file__).resolve().parents[2]
RATES = ROOT / "haikuft" / "dataset" / "token_rates.csv"
COUNTS = ROOT / "tests" / "dataset" / "token_counts.csv"
SEEDS = range(4)  # texts of each kind in each half

# Kinds of characters that are counted in ASCII texts, and how far from the fitted rate a text of
# such characters may be, down and up. The factors are wide, for texts differ from those fitted on.
ASCII = {
    "letter": (0.64, 1.9),
    "word": (0.64, 1.9),
    "English letter": (0.73, 1.43),
    "English word": (0.73, 1.43),
    "change inside a word": (0.64, 1.9),
    "digit": (0.64, 1.9),
    "mark": (0.64, 1.9),
    "line end or tab": (0.64, 1.9),
}
SPREAD = (0.65, 1.6)  # of all other characters
# Kind -> first and last character of its blocks of Unicode.
BLOCKS = {
    "Latin beyond ASCII": ((0x0080, 0x024F),),
    "Vietnamese letter": ((0x1E00, 0x1EFF), (0x0300, 0x036F)),
    "Greek": ((0x0370, 0x03FF),),
    "Cyrillic": ((0x0400, 0x052F),),
    "Armenian": ((0x0530, 0x058F),),
    "Hebrew": ((0x0590, 0x05FF),),
    "Arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE)),
    "Devanagari": ((0x0900, 0x097F),),
    "Bengali": ((0x0980, 0x09FF),),
    "Gurmukhi": ((0x0A00, 0x0A7F),),
    "Gujarati": ((0x0A80, 0x0AFF),),
    "Tamil": ((0x0B80, 0x0BFF),),
    "Telugu": ((0x0C00, 0x0C7F),),
    "Kannada": ((0x0C80, 0x0CFF),),
    "Malayalam": ((0x0D00, 0x0D7F),),
    "Sinhala": ((0x0D80, 0x0DFF),),
    "Thai": ((0x0E00, 0x0E7F),),
    "Lao": ((0x0E80, 0x0EFF),),
    "Burmese": ((0x1000, 0x109F),),
    "Georgian": ((0x10A0, 0x10FF),),
    "Ethiopic": ((0x1200, 0x139F),),
    "Khmer": ((0x1780, 0x17FF),),
    "punctuation": ((0x2000, 0x206F),),
    "sign": ((0x2070, 0x2BFF),),
    "kana": ((0x3000, 0x30FF), (0xFF00, 0xFFEF)),
    "Han": ((0x3400, 0x9FFF),),
    "Hangul": ((0x1100, 0x11FF), (0xAC00, 0xD7AF)),
    "emoji": ((0x1F000, 0x1FAFF), (0xFE00, 0xFE0F)),
}
OTHER = (1.0, 2.6, 3.0)  # tokens of any other character; most have three bytes, and one a byte


def fit(texts: Sequence[tuple[dict[str, float], int]], kinds: Sequence[str]) -> dict[str, float]:
    """Fit rates of zero or more, so that the relative error of the texts' tokens is least."""
    import numpy as np
    from scipy.optimize import nnls

    shares = np.array([[counts.get(kind, 0) / n for kind in kinds] for counts, n in texts])
    rates, _ = nnls(shares, np.ones(len(texts)))  # shares: (texts, kinds)
    return dict(zip(kinds, map(float, rates), strict=True))


def write_rates(rates: dict[str, float]) -> None:
    """Write the table: a row a block, those without a block first."""
    rows: list[Sequence[object]] = []
    for kind, (low, high) in ASCII.items():
        rate = rates.get(kind, 0.0)
        rows.append((kind, "", "", *(round(rate * factor, 3) for factor in (low, 1, high))))
    for kind, blocks in BLOCKS.items():
        rate = rates.get(kind, 0.0)
        found = [round(rate * factor, 3) for factor in (SPREAD[0], 1, SPREAD[1])]
        rows += [(kind, f"{first:04X}", f"{last:04X}", *found) for first, last in blocks]
    rows.append(("other character", "", "", *OTHER))
    _write(RATES, ("kind", "first", "last", "low", "likely", "high"), rows)


def _write(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([headings, *rows])


def main(path: str) -> None:
    """Fit, write both tables, and print the coverage of each kind."""
    from tokenizers import Tokenizer

    sys.path.insert(0, str(ROOT))
    from haikuft.dataset import tokens

    tokenizer = Tokenizer.from_file(path)

    def count(text: str) -> int:
        return len(tokenizer.encode(text).ids)

    # The kinds must be known to count them; their rates are not needed for that.
    write_rates({})
    fitted = [draw_text(kind, 0, seed) for kind in KINDS for seed in SEEDS]
    counted = [(dict(tokens.count_kinds(text)), count(text)) for text in fitted]
    write_rates(fit(counted, [*ASCII, *BLOCKS]))
    tokens._load_rates.cache_clear()
    rows = []
    for kind in KINDS:
        for seed in SEEDS:
            text = draw_text(kind, 1, seed)
            rows.append((kind, seed, len(text.encode("utf-8")), count(text)))
            if not seed:
                found = tokens.estimate_tokens(text)
                print(
                    f"{kind:24} {rows[-1][2] / rows[-1][3]:5.2f} bytes a token; counted / likely "
                    f"{rows[-1][3] / found.likely:.2f}, high / low {found.high / found.low:.2f}"
                )
    _write(COUNTS, ("kind", "seed", "bytes", "tokens"), rows)
    inside = 0
    for kind, seed, _, number in rows:
        found = tokens.estimate_tokens(draw_text(kind, 1, seed))
        inside += found.low <= number <= found.high
    print(f"{inside} of {len(rows)} texts of {len(KINDS)} kinds are inside their range.")


if __name__ == "__main__":
    main(parse(__doc__, path={"metavar": "TOKENIZER.json"}).path)
