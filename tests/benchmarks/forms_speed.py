"""How fast forms are: `python tests/benchmarks/forms_speed.py`.

In a kernel, as behind a notebook: the time of the cell that loads `haikuft.forms`, of each cell
that builds and shows a form, and from a slider's new value to the text that follows from it, all
messages to the page sent. A page adds its own share, some tens of milliseconds. Wanted: a form
within 1 s of its cell, a slider's effect within 100 ms. Not collected by pytest; ends with 1 if
something takes longer.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from usage import parse

from haikuft.series.execution.headless import OwnKernelManager

ROOT = Path(__file__).parents[2]
FORM_SECONDS, EFFECT_SECONDS = 1.0, 0.1

FORMS = {
    "target": 'forms.target_form(target="sandbox", region="", base_model_id="", run="first")',
    "data set": (
        'forms.dataset_form(dataset="support_tickets", raw_format="", system_prompt="", '
        'validation_share=0.15, test_share=0.2, seed=1, run="first")'
    ),
    "hyperparameters": (
        "forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=338, "
        'tokens=TokenRange(9000, 12000, 17000), training_price=0.001, run="first")'
    ),
    "serving": 'forms.serving_form(serving="", model_units=1, commitment="none", run="first")',
    "evaluation": (
        'forms.evaluation_form(max_records=0, further_model_ids=[], task="", scorers=[], '
        'run="first")'
    ),
    "early stopping": "forms.stopping_lab({1: 0.9, 2: 0.7, 3: 0.6, 4: 0.61}, threshold=0.001)",
    "records": 'forms.browse_records({"raw": root / "data/support_tickets/raw.jsonl"})',
}
SLIDERS = {"data set": "test_share", "hyperparameters": "epoch_count", "early stopping": "patience"}

SETUP = f"""
import json, time
from pathlib import Path
from statistics import median
root = Path({str(ROOT)!r})
began = time.perf_counter()
from haikuft import forms
print(time.perf_counter() - began)
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.dataset.tokens import TokenRange
"""
BUILD = """
began = time.perf_counter()
form = {form}
display(form)
print(time.perf_counter() - began)
"""
MOVE = """
slider, times = form.sliders[{name!r}], []
for turn in range(40):
    began = time.perf_counter()
    slider.value = slider.min + slider.step * (1 + turn % 2)
    times.append(time.perf_counter() - began)
print(json.dumps([median(times), max(times)]))
"""


def main() -> int:
    """Measure, print, and compare with what is wanted."""
    cells = [SETUP]
    for name, form in FORMS.items():
        cells.append(BUILD.format(form=form))
        cells += [MOVE.format(name=SLIDERS[name])] if name in SLIDERS else []
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook,
        kernel_manager_class=OwnKernelManager,
        resources={"metadata": {"path": str(ROOT)}},
    )
    client.execute()
    told = iter(
        output.text
        for cell in notebook.cells
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )
    print(f"loading haikuft.forms  {float(next(told)) * 1000:6.0f} ms")
    slow = False
    for name in FORMS:
        built = float(next(told))
        line, slow = f"{name:<21}  {built * 1000:6.0f} ms", slow or built > FORM_SECONDS
        if name in SLIDERS:
            middle, longest = json.loads(next(told))
            line += f"; slider {middle * 1000:.1f} ms at the median, {longest * 1000:.1f} at most"
            slow = slow or middle > EFFECT_SECONDS
        print(line)
    return int(slow)


if __name__ == "__main__":
    parse(__doc__)
    sys.exit(main())
