"""The parameters of a notebook: what it takes, and how a word from the command line becomes one.

papermill guesses a value's type from its looks and turns the run 007 into the number 7. Here the
annotation in the notebook decides.
"""

import ast
import io
import json
import math
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from haikuft.errors import SettingsError

Value = str | int | float | bool | list[str]

_BOOLS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a notebook's parameters cell.

    Attributes:
        name: The variable's name.
        annotation: Its type as written: str, int, float, bool or list[str].
        default: The value it has when none is given.
        help: The comment behind it: meaning, unit and range.

    """

    name: str
    annotation: str
    default: Value
    help: str


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Read the cell tagged `parameters`; name -> parameter, in the order written.

    Raises:
        SettingsError: the file is no notebook, or a line of the cell is not a plain
            `name: type = literal  # meaning`.

    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
        source = "".join(tagged[0]["source"]) if tagged else ""
        statements, helps = ast.parse(source).body, _read_comments(source)
    except SyntaxError as error:
        raise SettingsError(
            f"{notebook.name}: line {error.lineno} of the parameters cell is not valid Python."
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise SettingsError(f"{notebook.name} cannot be read as a notebook: {error}") from error
    return {one.name: one for one in (_to_parameter(notebook, s, helps) for s in statements)}


def _read_comments(source: str) -> dict[int, str]:
    """Map the number of a line to the comment at its end."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def describe_parameters(notebooks: Mapping[str, Mapping[str, Parameter]]) -> str:
    """Write every parameter as YAML with its default and meaning, each line a comment.

    A default is not the same in all notebooks, so that a line holds only once it is no comment.

    Args:
        notebooks: Notebook's name -> its parameters.
    """
    lines = ["# For haikuft run -f: take the # away before a parameter, and write its value."]
    told: set[str] = set()
    for notebook, parameters in notebooks.items():
        lines += ["", f"# {notebook}"]
        for name, one in parameters.items():
            if name not in told:
                lines.append(f"# {name}: {json.dumps(one.default)}  # {one.help}")
        told |= set(parameters)
    return "\n".join([*lines, ""])


def parse_value(text: str, annotation: str) -> Value:
    """Read a word from the command line as the annotation says.

    Lists are written with commas, `a,b`, or as Python writes them, `["a", "b"]`.

    Example: `parse_value("007", "str")` -> "007"; `parse_value("007", "int")` -> 7.

    Raises:
        SettingsError: the text is no such value; says what would be.

    """
    reader, wanted = _READERS[annotation]
    try:
        return reader(text)
    except (ValueError, SyntaxError, KeyError):
        raise SettingsError(f"takes {wanted}, not {text!r}") from None


def _to_parameter(notebook: Path, statement: ast.stmt, helps: Mapping[int, str]) -> Parameter:
    match statement:
        case ast.AnnAssign(ast.Name(name), annotated, ast.expr() as value):
            annotation = ast.unparse(annotated)
        case _:
            raise SettingsError(
                f"{notebook.name}: {ast.unparse(statement)!r} in the parameters cell is not a "
                "parameter. Write it as `name: type = literal  # meaning`."
            )
    if annotation not in _READERS:
        raise SettingsError(
            f"{notebook.name}: the parameter {name} is annotated {annotation}. "
            f"Annotate it as one of {', '.join(_READERS)}."
        )
    try:
        default = ast.literal_eval(value)
    except ValueError:
        raise SettingsError(
            f"{notebook.name}: the parameter {name} has the default {ast.unparse(value)}. "
            "Write it as a literal: a quoted text, a number, True, False or a list of texts."
        ) from None
    return Parameter(name, annotation, default, helps.get(statement.end_lineno or 0, ""))


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _read_bool(text: str) -> bool:
    return _BOOLS[text.strip().lower()]


def _read_list(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    parts = ast.literal_eval(text.strip())
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(text)
    return parts


_READERS: Mapping[str, tuple[Callable[[str], Value], str]] = {
    "str": (str, "a text"),
    "int": (int, "a whole number"),
    "float": (_read_float, "a number"),
    "bool": (_read_bool, "True or False"),
    "list[str]": (_read_list, 'a list such as a,b or ["a", "b"]'),
}
