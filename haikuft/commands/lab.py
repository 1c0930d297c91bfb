"""`haikuft lab` and `haikuft export`: the notebooks in JupyterLab, and as HTML pages."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from haikuft.commands import add_class, add_state

if TYPE_CHECKING:
    from haikuft.commands import Commands


def add(commands: "Commands") -> None:
    """Describe both commands."""
    _add_lab(commands)
    _add_export(commands)


def _add_lab(commands: "Commands") -> None:
    parser = commands.add_parser(
        "lab",
        allow_abbrev=False,
        help="open the notebooks in JupyterLab",
        description="Open JupyterLab on the notebooks, with the Python that runs this command "
        "behind them, where the run stands. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--run",
        metavar="NAME",
        help="work on this run's copies, in runs/NAME/lab (first; on AWS the one begun)",
    )
    parser.add_argument("--no-browser", action="store_true", help="only print where it is")
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port on this machine (a free one)"
    )
    add_class(parser, "begin the run for this class")
    add_state(parser)
    parser.set_defaults(command=_lab)


def _add_export(commands: "Commands") -> None:
    parser = commands.add_parser(
        "export",
        allow_abbrev=False,
        help="write executed notebooks as pages that load nothing",
        description="Write notebooks as HTML pages, with their outputs and forms as they were "
        "saved. A page is one file and loads nothing from anywhere.",
    )
    parser.add_argument(
        "notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="(those the run executed)"
    )
    parser.add_argument("--run", default="first", metavar="NAME", help="name of the run (first)")
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="folder of the pages (the run's own, exports)"
    )
    parser.set_defaults(command=_export)


def _lab(options: argparse.Namespace) -> int:
    from haikuft.series.lab import open_lab

    return open_lab(options.run or "", port=options.port, browser=not options.no_browser)


def _export(options: argparse.Namespace) -> int:
    from haikuft.series.export import export_run

    for page in export_run(options.run, options.notebooks, to=options.to):
        print(page)
    return 0
