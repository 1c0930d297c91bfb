#!/usr/bin/env bash
# papermill 2.7.0 misreads defaults that hold "#" or "=" when it inspects a notebook's parameters.
#
# It matches the lines of the parameters cell with a regular expression: what follows "#" inside a text
# is taken for the parameter's help, and a line with a second "=" is skipped with "Unable to parse line".
# The parameter is then missing from inspect_notebook and from `papermill --help-notebook`, and `-p url …`
# warns of an unknown parameter, although the run itself uses the value. A program that checks parameters
# by what papermill lists refuses a cell of valid Python.
#
# Seen on 2026-11-29 with papermill 2.7.0 and nbformat 5.11.1:
#   plain: "three"
#   question: "Where is order
#   not listed: url
#   Passed unknown parameter: url
#   run with url=https://example.org/?b=2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'papermill==2.7.0' 'nbformat==5.11.1' 'ipykernel==7.4.0'
cat > "$folder/look.py" <<'PYTHON'
import ast
import logging

import nbformat
import papermill

CELL = '''plain = "three"
question = "Where is order #123?"
url = "https://example.org/?a=1"'''


class Shown(logging.Handler):
    """Print what papermill warns of parameters that it does not know."""

    def emit(self, record):
        if "unknown parameter" in record.getMessage():
            print(record.getMessage())


logging.getLogger("papermill").addHandler(Shown())
cells = [
    nbformat.v4.new_code_cell(CELL, metadata={"tags": ["parameters"]}),
    nbformat.v4.new_code_cell('print("run with url=" + url)'),
]
notebook = nbformat.v4.new_notebook(cells=cells)
notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "Python"}
nbformat.write(notebook, "asked.ipynb")
listed = papermill.inspect_notebook("asked.ipynb")
written = [statement.targets[0].id for statement in ast.parse(CELL).body]
for name in written:
    if name in listed:
        print(f"{name}: {listed[name]['default']}")
print("not listed:", *(name for name in written if name not in listed))
given = {"url": "https://example.org/?b=2"}
papermill.execute_notebook("asked.ipynb", "run.ipynb", given, progress_bar=False)
print(nbformat.read("run.ipynb", 4).cells[-1].outputs[0].text.strip())
PYTHON
seen=$(cd "$folder" && PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" look.py 2> errors.txt)
wanted='plain: "three"
question: "Where is order
not listed: url
Passed unknown parameter: url
run with url=https://example.org/?b=2'
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    cat "$folder/errors.txt" >&2
    echo "The behaviour has changed." >&2
    exit 1
fi
