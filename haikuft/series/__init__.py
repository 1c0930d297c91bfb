"""The series run headless, as `haikuft run` does it: plan, execute, and report the result."""

import sys

# nbformat's jsonschema imports this parser of IRIs where it is installed, as JupyterLab's extras
# do, and it builds its grammar for a second or more. No notebook's format has an IRI to check.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
