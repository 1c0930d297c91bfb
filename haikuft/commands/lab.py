"""`haikuft lab`, `export` and `forget`: notebooks in JupyterLab, as pages, and without texts."""

import argparse


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab, and return its exit status."""
    print("JupyterLab is starting.", flush=True)  # loading it takes seconds
    from haikuft.series.lab import open_lab

    return open_lab(options.run, port=options.port, browser=not options.no_browser)


def export(options: argparse.Namespace) -> int:
    """Write the pages, and print where each is."""
    from haikuft.series.export import export_run

    for page in export_run(options.run, options.notebooks, to=options.to, code=options.code):
        print(page)
    return 0


def forget(options: argparse.Namespace) -> int:
    """Delete the texts, and print which files went and which lost their outputs."""
    from haikuft.series.forget import forget_texts

    deleted, cleared = forget_texts(options.run)
    for path in deleted:
        print(f"Deleted {path}")
    for path in cleared:
        print(f"Cleared the outputs of {path}")
    print("What lies in S3 stays until `haikuft clean-up` or the bucket's owner deletes it.")
    return 0
