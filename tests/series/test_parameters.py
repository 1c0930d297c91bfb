"""What a notebook takes, and how words from the command line become its values."""

from collections.abc import Callable
from pathlib import Path

import pytest

from haikuft.errors import SettingsError
from haikuft.series.parameters import Parameter, parse_value, read_parameters


def test_read_parameters_when_the_cell_is_plain_then_name_type_default_and_help_are_there(
    write_notebook: Callable[..., Path],
) -> None:
    """The tagged cell is the notebook's signature."""
    path = write_notebook("01_a", 'ids: list[str] = ["a"]  # models, by id', [])

    found = read_parameters(path)

    assert list(found) == ["run", "target", "ids"]
    assert found["ids"] == Parameter("ids", "list[str]", ["a"], "models, by id")
    assert found["run"] == Parameter("run", "str", "first", "name of the run")


@pytest.mark.parametrize(
    ("line", "default", "meaning"),
    [
        ('own: str = "Where is order #123?"  # first question', "Where is order #123?", "first"),
        ('own: str = "a = b"  # has = and # in it', "a = b", "has = and # in it"),
        ("own: int = -1", -1, ""),
        ("own: list[str] = [\n    'a',  # one\n    '#',\n]  # some", ["a", "#"], "some"),
    ],
)
def test_read_parameters_when_a_default_holds_marks_of_python_then_it_is_read_whole(
    write_notebook: Callable[..., Path], line: str, default: object, meaning: str
) -> None:
    """A hash or an equals sign inside a text is text."""
    found = read_parameters(write_notebook("01_a", line, []))["own"]

    assert found.default == default
    assert found.help.startswith(meaning)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("seed: int = 1 + 1  # sum", "Write it as a literal"),
        ("seed: complex = 1  # odd", "annotated complex"),
        ("seed = 1  # bare", "is not a parameter"),
        ("seed: int  # nothing", "is not a parameter"),
        ("seed: int = 1 +", "not valid Python"),
    ],
)
def test_read_parameters_when_a_line_is_not_plain_then_it_is_named(
    write_notebook: Callable[..., Path], line: str, words: str
) -> None:
    """A parameter that the command line could not set is refused, not skipped."""
    path = write_notebook("01_a", line, [])

    with pytest.raises(SettingsError, match=rf"01_a.*{words}"):
        read_parameters(path)


def test_read_parameters_when_the_file_is_no_notebook_then_the_error_says_so(
    tmp_path: Path,
) -> None:
    """A broken file is named."""
    path = tmp_path / "01_a.ipynb"
    path.write_text("not json")

    with pytest.raises(SettingsError, match=r"01_a\.ipynb cannot be read as a notebook"):
        read_parameters(path)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("007", "str", "007"),
        ("007", "int", 7),
        ("-1", "int", -1),
        ("1e-3", "float", 0.001),
        ("5", "float", 5.0),
        ("True", "bool", True),
        ("no", "bool", False),
        ("", "str", ""),
        ("", "list[str]", []),
        ("a, b", "list[str]", ["a", "b"]),
        ('["a,b", "c"]', "list[str]", ["a,b", "c"]),
        ("[]", "list[str]", []),
    ],
)
def test_parse_value_when_the_text_fits_then_the_annotation_decides_its_type(
    text: str, annotation: str, value: object
) -> None:
    """The looks of a word decide nothing."""
    found = parse_value(text, annotation)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "annotation", "wanted"),
    [
        ("two", "int", "a whole number"),
        ("2.5", "int", "a whole number"),
        ("nan", "float", "a number"),
        ("inf", "float", "a number"),
        ("maybe", "bool", "True or False"),
        ("[1, 2]", "list[str]", "a list such as"),
        ("[a", "list[str]", "a list such as"),
    ],
)
def test_parse_value_when_the_text_does_not_fit_then_the_error_says_what_would(
    text: str, annotation: str, wanted: str
) -> None:
    """The refusal quotes what was written."""
    with pytest.raises(SettingsError, match=f"takes {wanted}.*not '") as error:
        parse_value(text, annotation)

    assert repr(text) in str(error.value)
