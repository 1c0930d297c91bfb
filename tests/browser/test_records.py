"""Notebooks 6 and 2 in JupyterLab: user text as written, and records one can look through.

Comes after test_network by its name: the run has been evaluated by then.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft.series.export import export_run

TEXT = "The basket said $118. The bank says $131.40, `code` **bold** <b>tag</b> "
CELL = "evaluation.browse(comparison)"
WITH_TEXT = f"""from IPython.display import HTML
comparison.table["prompt"] = {TEXT!r} + comparison.table["prompt"]
display(HTML("<p class=control>From $118. To $131.40</p>"))
{CELL}"""
MATHEMATICS = ".MathJax, mjx-container"


@pytest.fixture(scope="module")
def notebook(lab: Any, walked_to: Callable[[int], Any]) -> Any:
    """Run notebook 6 up to the table of records, with such a text in each prompt."""
    walked_to(6)
    lab.open("06_evaluate")
    lab.write(CELL, WITH_TEXT)
    return lab.run_to(CELL)


def test_user_text_when_shown_in_jupyterlab_then_it_is_as_written(lab: Any, notebook: Any) -> None:
    """Text between dollars would be mathematics, as in the control above the table it is."""
    notebook.locator(f"p.control :is({MATHEMATICS})").first.wait_for(state="attached")
    table = notebook.locator(".haikuft-browser")

    assert TEXT.strip() in table.locator("> details div").first.text_content()
    assert table.locator(MATHEMATICS).count() == 0
    assert table.locator("td b, td code").count() == 0


def check_box(lab: Any, shown: Any, name: str) -> None:
    """Check that the box of records keeps its height, and is not cut off, in themes and widths."""
    box = shown.locator(".haikuft-browser .rows")
    for theme in ("Dark", "Light"):
        lab.wear(theme)
        for width in (1000, 1280):
            lab.page.set_viewport_size({"width": width, "height": 1000})
            shown.locator(".haikuft-browser").scroll_into_view_if_needed()
            lab.shoot(f"{name}-{theme.lower()}-{width}")
            assert box.bounding_box()["height"] <= 482
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), width


def test_records_when_shown_then_ten_fit_a_box_and_can_be_turned_chosen_and_unfolded(
    lab: Any, notebook: Any
) -> None:
    """Whatever the number of records; nothing is cut off at the side of a narrow window."""
    check_box(lab, notebook, "06-records")
    rows = notebook.locator(".haikuft-browser tbody tr:visible")
    assert rows.count() == 10
    first = rows.first.text_content()
    notebook.get_by_role("button", name="Next").click()
    assert rows.first.text_content() != first
    outcome = notebook.get_by_label("Show only one tuned outcome")
    chosen = outcome.locator("option").nth(1).get_attribute("value") or ""
    outcome.select_option(chosen)
    texts = {row.locator("td").first.text_content() for row in rows.all()}
    assert texts == {chosen.removeprefix("=")}
    folded = notebook.locator("td details:visible").first
    height = folded.bounding_box()["height"]
    folded.locator("summary").click()
    assert folded.bounding_box()["height"] >= height
    lab.shoot("06-records-open")


def test_user_text_when_exported_then_it_is_as_written(
    chromium: Any, lab: Any, notebook: Any, walked_to: Callable[[int], Any], tmp_path: Path
) -> None:
    """The saved notebook as a page, opened by itself."""
    lab.save()
    directory = walked_to(6).directory
    path, _ = export_run("first", [directory / "lab" / "06_evaluate.ipynb"], to=tmp_path)
    page = chromium.new_page(viewport={"width": 1000, "height": 1000})
    page.goto(path.as_uri())
    table = page.locator(".haikuft-browser")

    assert TEXT.strip() in table.locator("> details div").first.text_content()
    assert page.locator(MATHEMATICS).count() == 0
    assert table.locator("tbody tr:visible").count() == 10
    table.scroll_into_view_if_needed()
    lab.shoot("06-export", page)
    page.close()


def test_training_records_when_shown_then_ten_chats_fit_a_box_and_can_be_chosen(
    lab: Any, walked_to: Callable[[int], Any]
) -> None:
    """In notebook 2, by file and label; nothing is cut off at the side of a narrow window."""
    walked_to(2)
    lab.open("02_prepare_data")
    cell = lab.run_to("forms.browse_records(")

    check_box(lab, cell, "02-records")
    chats = cell.locator("article.haikuft-record:visible")
    assert chats.count() == 10
    cell.get_by_label("Show only one file").select_option("=validation")
    cell.get_by_label("Search the records").fill("order_change")
    assert 0 < chats.count() <= 10
    assert all("validation.jsonl" in text for text in chats.all_inner_texts())
