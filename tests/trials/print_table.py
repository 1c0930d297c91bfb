"""Carry all trials out and print what came of them as a Markdown table.

Run it from the project's folder: `python tests/trials/print_table.py`. Kinds of trials named after
it take only those, a text after `--name` only those whose name has it.
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from carrying_out import Result, Trial, carry_out_all
from trials import TRIALS

from haikuft import __version__


def main() -> int:
    """Print the table; return 1 when a trial is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="take only trials of these kinds")
    parser.add_argument("--name", default="", help="take only trials whose name has this text")
    parser.add_argument("--at-once", type=int, default=2, help="how many are carried out at once")
    options = parser.parse_args()
    chosen = [
        trial
        for trial in TRIALS
        if trial.kind in (options.kinds or [trial.kind]) and options.name in trial.name
    ]
    began = time.monotonic()

    def tell(trial: Trial, result: Result) -> None:
        print(f"{trial.name}: {'; '.join(result.wrong) or 'right'}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        found = carry_out_all(chosen, Path(folder), at_once=options.at_once, tell=tell)
    results = [found[trial.name] for trial in chosen]
    wrong = sum(bool(result.wrong) for result in results)
    print(
        f"haikuft {__version__}, {datetime.now(UTC):%Y-%m-%d}: {len(results)} trials, "
        f"{len(results) - wrong} right, {wrong} not, in {time.monotonic() - began:.0f} s.\n"
    )
    print("| trial | bought | touched | last lines | verdict |")
    print("|---|---|---|---|---|")
    for trial, result in zip(chosen, results, strict=True):
        print(write_row(trial, result))
    return 1 if wrong else 0


def write_row(trial: Trial, result: Result) -> str:
    """Write one line of the table."""
    bought = ", ".join(f"{number} {kind}" for kind, number in result.bought.items() if number)
    cells = (
        trial.name,
        "; ".join(result.bought_wrong) or bought or "nothing",
        "; ".join(result.touched) or "nothing of others",
        "; ".join(result.untruths) or (f"true ({result.told})" if result.told else "none due"),
        "; ".join(result.faults) or ("wrong" if result.wrong else "right"),
    )
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
