"""Notebooks as pages: what they keep, and that they load nothing."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from haikuft.cli import main
from haikuft.errors import DataError, NotFoundError
from haikuft.inference.replies import NOTICE
from haikuft.series.export import export_notebook, export_run

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def executed(project: Path) -> Path:
    """Write an executed notebook with a form, as a run leaves it."""
    form = {WIDGET: {"model_id": "m"}, "text/html": "<table><td>epochs</td></table>"}
    form["text/plain"] = "epochs"
    cells = [
        new_markdown_cell("# A walk\n\nCosts US$1 to US$2."),
        new_code_cell("form", outputs=[new_output("display_data", form)]),
    ]
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"m": {}}}}
    path = project / "runs" / "first" / "notebooks" / "03_fine_tune.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells, metadata={"widgets": widgets}), path)
    return path


def test_export_when_a_run_is_named_then_its_executed_notebooks_become_pages(
    executed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its own folder, and told by name."""
    assert main(["export"]) == 0

    folder = executed.parents[1] / "exports"
    page, index = folder / "03_fine_tune.html", folder / "index.html"
    assert capsys.readouterr().out == f"{page}\n{index}\n"
    assert "A walk" in page.read_text("utf-8")
    assert '<a href="03_fine_tune.html">A walk</a>' in index.read_text("utf-8")


def test_page_when_written_then_it_names_nothing_to_load(executed: Path, tmp_path: Path) -> None:
    """No program from elsewhere, and a policy that forbids any."""
    page = export_notebook(executed, tmp_path / "page.html").read_text("utf-8")

    assert "default-src 'none'" in page
    assert re.findall(r"<script[^>]* src=|<link|@import|url\((?!['\"]?(?:data:|#))", page) == []
    assert re.findall(r'\ssrc="(?!data:)', page) == []


def test_page_when_there_is_a_form_then_its_plain_table_is_kept(
    executed: Path, tmp_path: Path
) -> None:
    """Widgets need a program; the table beside them does not."""
    page = export_notebook(executed, tmp_path / "page.html").read_text("utf-8")

    assert "<td>epochs</td>" in page
    assert WIDGET not in page


def test_export_when_other_notebooks_are_named_then_they_are_taken(
    executed: Path, tmp_path: Path
) -> None:
    """Such as one that was walked by hand."""
    assert export_run("first", [executed], to=tmp_path / "out") == [
        tmp_path / "out" / "03_fine_tune.html",
        tmp_path / "out" / "index.html",
    ]


def test_export_when_the_run_was_walked_by_hand_then_its_copies_are_taken(executed: Path) -> None:
    """Where `haikuft run` has executed nothing."""
    lab = executed.parent.rename(executed.parents[1] / "lab")

    assert export_run("first")[0] == lab.parent / "exports" / "03_fine_tune.html"


def test_export_when_there_is_nothing_then_it_says_what_would_make_it(project: Path) -> None:
    """No page, no silence."""
    with pytest.raises(NotFoundError, match="haikuft run --run first"):
        export_run("first")
    with pytest.raises(NotFoundError, match="no such file"):
        export_run("first", [project / "none.ipynb"])


@pytest.mark.parametrize("text", ["{", "[]", "{}", "\xff"])
def test_export_when_the_file_is_no_notebook_then_it_says_so(project: Path, text: str) -> None:
    """Anything may bear that ending."""
    path = project / "none.ipynb"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(DataError, match="is not a Jupyter notebook"):
        export_run("first", [path])


@pytest.mark.parametrize(
    ("parameters", "injected", "said"),
    [
        ('target: str = "sandbox"', "", True),
        ('target: str = "sandbox"', 'target = "aws"', False),
        ('target: str = "aws"', "", False),
        ("x = 1", "", False),
    ],
)
def test_page_when_the_walk_was_on_the_sandbox_then_it_says_so_first(
    parameters: str, injected: str, said: bool, tmp_path: Path
) -> None:
    """Before the notebook's title; JupyterLab's own export uses the same template."""
    cells = [new_markdown_cell("# A walk"), new_code_cell(parameters), new_code_cell(injected)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "n.ipynb")

    page = export_notebook(tmp_path / "n.ipynb", tmp_path / "page.html").read_text("utf-8")

    assert (NOTICE in page) == said
    assert page.find(NOTICE) < page.index("A walk</h1>" if "A walk</h1>" in page else "A walk<a")


def test_export_when_without_code_then_outputs_and_prose_are_left(
    executed: Path, tmp_path: Path
) -> None:
    """For a reader who does not program."""
    assert main(["export", "--no-code", "--to", str(tmp_path)]) == 0

    page = (tmp_path / "03_fine_tune.html").read_text("utf-8").partition("<body")[2]
    assert "<td>epochs</td>" in page
    assert "A walk" in page
    assert "Code cells are left out." in page
    assert "jp-Cell-inputArea" not in page.replace("jp-MarkdownCell", "").partition("A walk")[2]


def test_page_when_it_names_folders_and_notebooks_then_they_are_those_of_the_project(
    project: Path, tmp_path: Path
) -> None:
    """No folder of this computer is named, and links lead to the pages beside it."""
    text = f"[next](02_next.ipynb) {project}/runs/first {Path.home()}/secret"
    for name in ("01_begin", "02_next"):
        nbformat.write(new_notebook(cells=[new_markdown_cell(text)]), tmp_path / f"{name}.ipynb")

    pages = export_run("first", sorted(tmp_path.glob("*.ipynb")), to=tmp_path / "out")

    page = pages[0].read_text("utf-8")
    assert 'href="02_next.html"' in page
    assert "~/secret" in page
    assert not [private for private in (str(project), str(Path.home())) if private in page]
