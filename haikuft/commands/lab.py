"""`haikuft lab` and `haikuft export`: the notebooks in JupyterLab, and as HTML pages."""

import argparse


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab, and return its exit status."""
    print("JupyterLab is starting.", flush=True)  # loading it takes seconds
    from haikuft.series.lab import open_lab

    return open_lab(options.run, port=options.port, browser=not options.no_browser)


def export(options: argparse.Namespace) -> int:
    """Write the pages, and print where each is."""
    from haikuft.series.export import export_run

    for page in export_run(options.run, options.notebooks, to=options.to):
        print(page)
    return 0
