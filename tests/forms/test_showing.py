"""What stands beside a widget: in an executed notebook, in an export, and after a change."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert.exporters import HTMLExporter, MarkdownExporter

from haikuft.forms.showing import build_text
from haikuft.html import INLINE_STYLE
from haikuft.series.execution.headless import OwnKernelManager

ROOT = Path(__file__).parents[2]
LABEL = "Batch size (records, 4 to 256)"
CELLS = (
    "from haikuft import forms\n"
    "from haikuft.base_models import CLAUDE_3_HAIKU\n"
    "form = forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=300)\n"
    "form",
    'form.controls["batch_size"].value = 77',
    "forms.stopping_lab()",
)


@pytest.fixture(scope="module", params=[True, False], ids=["with state", "without state"])
def executed(request: pytest.FixtureRequest) -> Any:
    """A small notebook with a form, changed after it was shown, and with the laboratory."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        kernel_manager_class=OwnKernelManager,
        store_widget_state=request.param,
        resources={"metadata": {"path": str(ROOT)}},
    )
    return client.execute()


def test_form_when_executed_then_widget_and_text_are_outputs_of_their_own(executed: Any) -> None:
    """So no front end and no export has to choose between them."""
    widget, text = executed.cells[0].outputs

    assert "application/vnd.jupyter.widget-view+json" in widget.data
    assert "text/html" not in widget.data
    assert LABEL in text.data["text/html"]
    assert LABEL in text.data["text/plain"]


def test_form_when_a_value_changes_then_the_saved_text_says_what_was_chosen(executed: Any) -> None:
    """Whoever opens the saved notebook reads the choice, without widgets."""
    text = executed.cells[0].outputs[1].data

    assert f'{LABEL}</th><td style="{INLINE_STYLE}"><div>77</div></td>' in text["text/html"]
    assert "Steps per epoch                              4" in text["text/plain"]


def test_form_when_exported_by_plain_nbconvert_then_its_table_is_on_the_page(executed: Any) -> None:
    """Also where the widget's state was saved and its program cannot be loaded."""
    page, _ = HTMLExporter().from_notebook_node(executed)

    assert f'{LABEL}</th><td style="{INLINE_STYLE}"><div>77</div></td>' in page
    assert 'aria-label="Training stops after epoch' in page


def test_form_when_exported_as_markdown_then_its_table_is_there_too(executed: Any) -> None:
    """For a repository or a mail."""
    text, _ = MarkdownExporter().from_notebook_node(executed)

    assert f"{LABEL}</th>" in text


def test_text_when_built_then_it_names_nothing_on_the_network_and_says_how_to_get_widgets() -> None:
    """It hides where its own widget lives, never in an export, whose body is the notebook."""
    text = build_text("haikuft-abc", "<p>the table</p>")

    assert "http" not in text
    assert "src=" not in text
    assert "pip install ipywidgets" in text
    assert (
        "body:not(.jp-Notebook):has(.haikuft-abc.jupyter-widgets) .haikuft-abc-text "
        "{ display: none; }" in text
    )
