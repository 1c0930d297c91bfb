#!/usr/bin/env bash
# With JupyterLab 4.6.6 installed, each process that imports nbformat 5.11.1 builds grammars of IRIs.
#
# JupyterLab brings jupyter-events, which asks for jsonschema[format-nongpl], which brings
# rfc3987-syntax 1.1.0. nbformat imports jsonschema, that imports rfc3987_syntax if it is there, and this
# package builds its Lark parsers while it is imported. Neither checks an IRI: a notebook's schema has
# none. Every papermill run, nbconvert call and script that reads a notebook pays for it; on two cores
# nearly all of the time of `import nbformat` goes there.
#
# Seen on 2026-11-29 with these versions, lark 1.3.1 and Python 3.11:
#   nbformat alone: rfc3987_syntax imported: False
#   with JupyterLab: rfc3987_syntax imported: True, parsers built: 39
# and, not compared, processor time of the import 8 to 12 times that of nbformat alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/look.py" <<'PYTHON'
import sys
import time

began = time.process_time()
import nbformat

print(f"import nbformat: {time.process_time() - began:.2f} s of processor time", file=sys.stderr)
print("rfc3987_syntax imported:", "rfc3987_syntax" in sys.modules, end="")
if "lark" in sys.modules:
    import gc

    from lark import Lark

    print(", parsers built:", sum(isinstance(one, Lark) for one in gc.get_objects()), end="")
print()
PYTHON
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'nbformat==5.11.1' 'jsonschema==4.26.0'
seen="nbformat alone: $("$folder/venv/bin/python" "$folder/look.py")"
"$folder/venv/bin/pip" install -q 'jupyterlab==4.6.6' 'nbformat==5.11.1' 'jsonschema==4.26.0' \
    'rfc3987-syntax==1.1.0' 'lark==1.3.1'
seen="$seen
with JupyterLab: $("$folder/venv/bin/python" "$folder/look.py")"
wanted="nbformat alone: rfc3987_syntax imported: False
with JupyterLab: rfc3987_syntax imported: True, parsers built: 39"
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
