"""Export notebooks as pages: one HTML file each, that loads nothing.

nbconvert's own pages load MathJax, RequireJS and the widgets' programs from the network. These do
not: forms are kept as the plain tables that each shows with its widgets, and a content security
policy in the page forbids loading anything, whatever an output holds.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import nbformat
from jinja2 import DictLoader
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from haikuft.errors import DataError, NotFoundError
from haikuft.files import write_whole
from haikuft.html import POLICY, build_page, escape
from haikuft.inference.replies import NOTICE
from haikuft.package_data import read_text
from haikuft.runs.folders import check_run_name, find_root
from haikuft.tables import Card

_NOTICE = Card("note", "A stand-in answered", sentence=NOTICE)._repr_html_()
_TEMPLATE = read_text(__package__, "export.html.j2").replace("POLICY", POLICY)
_TEMPLATE = _TEMPLATE.replace("NOTICE", _NOTICE)
# The richest first, without widgets, which each have a copy as HTML.
_SHOWN = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain")

# What nbformat makes of other files; of JSON that is a list, it asks for a dictionary's `get`.
_NO_NOTEBOOK = (nbformat.reader.NotJSONError, UnicodeDecodeError, AttributeError)


def export_run(
    run: str, notebooks: Sequence[Path] = (), *, to: Path | None = None, code: bool = True
) -> list[Path]:
    """Export notebooks and an index of them; return the pages, the index last.

    Args:
        run: The run's name.
        notebooks: Those to export; () for those that `haikuft run` executed, else the run's copies
            of `haikuft lab`.
        to: Folder of the pages; None for "exports" in the run's folder.
        code: Whether the pages show the code cells.

    Raises:
        NotFoundError: there is nothing to export, or no such file.
        DataError: a file is not a notebook.

    """
    directory = find_root() / "runs" / check_run_name(run)
    folders = (directory / "notebooks", directory / "lab")
    own = (sorted(one.glob("*.ipynb")) for one in folders)
    chosen = list(notebooks) or next(filter(None, own), [])
    if not chosen:
        raise NotFoundError(
            f"{directory} holds no notebook. Run `haikuft run --run {run}` or `haikuft lab --run "
            f"{run}`, or name the notebooks to export."
        )
    folder = to or directory / "exports"
    pages = [export_notebook(one, folder / f"{one.stem}.html", code=code) for one in chosen]
    links = "".join(
        f'<li><a href="{quote(page.name)}">{escape(_read_title(one))}</a></li>'
        for one, page in zip(chosen, pages, strict=True)
    )
    index = build_page(f'Notebooks of run "{run}"', [f"<ul>{links}</ul>"])
    return [*pages, write_whole(folder / "index.html", index)]


def export_notebook(notebook: Path, page: Path, *, code: bool = True) -> Path:
    """Write a saved notebook as a page that loads nothing and names no folder of this computer.

    Args:
        notebook: The file.
        page: Where to write it.
        code: Whether the page shows the code cells.

    Raises:
        NotFoundError: no such file.
        DataError: the file is not a notebook.

    """
    document = read_notebook(notebook)
    loader = DictLoader({"haikuft.html.j2": _TEMPLATE})
    config = _build_config()
    for what in ("input", "input_prompt", "output_prompt"):
        config.TemplateExporter[f"exclude_{what}"] = not code
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        config=config, extra_loaders=[loader], template_file="haikuft.html.j2"
    )
    resources = {"metadata": {"name": notebook.stem, "path": str(notebook.parent)}}
    html, _ = exporter.from_notebook_node(document, resources)
    html = re.sub(r'href="([\w-]+)\.ipynb"', r'href="\1.html"', html)
    return write_whole(page, _hide_folders(html))


def _read_title(notebook: Path) -> str:
    """Read the first heading of a notebook; its file's name where there is none."""
    sources = (cell.source for cell in read_notebook(notebook).cells)
    found = (re.match(r"# (.+)", source) for source in sources)
    return next((one[1] for one in found if one), notebook.stem)


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises:
        NotFoundError: no such file.
        DataError: the file is not a notebook.

    """
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call, no-any-return]
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such file. Name a notebook, .ipynb.") from error
    except (*_NO_NOTEBOOK, nbformat.ValidationError) as error:
        raise DataError(f"{path} is not a Jupyter notebook. Name a file .ipynb.") from error


def _hide_folders(text: str) -> str:
    """Write paths relative to the project's folder, or to the home folder."""
    text = text.replace(f"{find_root()}/", "")
    home = str(Path.home())
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def let_jupyter_export(folder: Path) -> Config:
    """Build the server settings with which JupyterLab's own HTML export writes such pages.

    Args:
        folder: A folder on Jupyter's path while the server runs; the template is written there.

    """
    templates = folder / "nbconvert" / "templates" / "haikuft"
    templates.mkdir(parents=True)
    (templates / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
    (templates / "index.html.j2").write_text(_TEMPLATE, encoding="utf-8")
    config = _build_config()
    config.HTMLExporter.template_name = "haikuft"
    return config


def _build_config() -> Config:
    config = Config()
    config.HTMLExporter.embed_images = True
    config.NbConvertBase.display_data_priority = list(_SHOWN)
    return config
