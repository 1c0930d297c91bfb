"""Which notebooks are run, and with which parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import NotFoundError, SettingsError
from haikuft.series.planning import Request, Step, find_notebooks, plan

pytestmark = pytest.mark.usefixtures("three_notebooks")


@pytest.fixture
def planned(project: Path) -> Callable[..., list[Step]]:
    """Plan a run of the three notebooks."""

    def make(**options: Any) -> list[Step]:
        return plan(find_notebooks(project), Request(options.pop("given", {}), **options))

    return make


def numbers(steps: list[Step]) -> list[int]:
    """Say which notebooks these are."""
    return [step.notebook.number for step in steps]


def test_find_notebooks_when_there_are_some_then_they_come_in_order(project: Path) -> None:
    """The two digits are the order; other files are no part of the series."""
    (project / "notebooks" / "scratch.ipynb").write_text("{}")

    assert [n.name for n in find_notebooks(project)] == ["01_begin", "03_middle", "07_clean_up"]


def test_find_notebooks_when_there_are_none_then_the_folder_is_named(tmp_path: Path) -> None:
    """An empty folder is a mistake, not an empty run."""
    with pytest.raises(NotFoundError, match="holds no notebook"):
        find_notebooks(tmp_path)


def test_plan_when_a_parameter_is_in_several_notebooks_then_each_gets_it(
    planned: Callable[..., list[Step]],
) -> None:
    """And a notebook without it is left alone."""
    steps = planned(given={"run": "007", "seed": "2"})

    assert [step.values.get("run") for step in steps] == ["007"] * 3
    assert [step.values.get("seed") for step in steps] == [None, 2, None]


def test_plan_when_nothing_has_the_parameter_then_a_near_one_is_offered(
    planned: Callable[..., list[Step]],
) -> None:
    """Left to itself, papermill would only warn."""
    with pytest.raises(SettingsError, match=r'"sed"\. Did you mean "seed"\?'):
        planned(given={"sed": "1"})


def test_plan_when_only_a_notebook_left_out_has_the_parameter_then_it_is_named(
    planned: Callable[..., list[Step]],
) -> None:
    """The reader learns where it would belong."""
    with pytest.raises(SettingsError, match='"bucket" belongs to 01_begin'):
        planned(given={"bucket": "x"}, first=3)


def test_plan_when_several_values_are_bad_then_all_are_named_at_once(
    planned: Callable[..., list[Step]],
) -> None:
    """Nobody fixes one mistake to meet the next."""
    with pytest.raises(SettingsError) as error:
        planned(given={"seed": "x", "share": "y", "colour": "red"})

    for words in ("seed in 03_middle takes", "share in 03_middle takes", '"colour"'):
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"first": 2}, "--from 2: there is no such notebook"),
        ({"last": 9}, "--to 9: there is no such notebook; they go from 1 to 7"),
        ({"first": 3, "last": 1}, "the first comes after the last"),
    ],
)
def test_plan_when_the_range_cannot_be_then_it_says_why(
    planned: Callable[..., list[Step]], options: dict[str, int], words: str
) -> None:
    """Numbers are those in the notebooks' names."""
    with pytest.raises(SettingsError, match=words):
        planned(**options)


@pytest.mark.parametrize(
    ("target", "options", "expected", "deletes"),
    [
        ("sandbox", {}, [1, 3, 7], True),
        ("sandbox", {"last": 3}, [1, 3], None),
        ("sandbox", {"clean_up": False}, [1, 3], None),
        ("sandbox", {"clean_up": False, "last": 7}, [1, 3, 7], None),
        ("sandbox", {"clean_up": True, "last": 3}, [1, 3, 7], True),
        ("aws", {}, [1, 3], None),
        ("aws", {"last": 7}, [1, 3, 7], None),
        ("aws", {"first": 7}, [7], None),
        ("aws", {"clean_up": True}, [1, 3, 7], True),
    ],
)
def test_plan_when_the_target_is_given_then_clean_up_follows_it(
    planned: Callable[..., list[Step]],
    target: str,
    options: dict[str, Any],
    expected: list[int],
    deletes: bool | None,
) -> None:
    """The sandbox is left empty, AWS is never emptied unasked, and 7 alone is a list."""
    steps = planned(given={"target": target}, **options)

    assert numbers(steps) == expected
    assert steps[-1].values.get("delete") is deletes


def test_plan_when_delete_is_given_then_it_beats_the_default(
    planned: Callable[..., list[Step]],
) -> None:
    """What a person writes counts."""
    assert planned(given={"delete": "no"})[-1].values["delete"] is False


def test_plan_when_nothing_is_left_then_it_says_so(
    project: Path,
) -> None:
    """A project of one clean-up that must not clean up."""
    only = [n for n in find_notebooks(project) if n.number == 7]

    with pytest.raises(SettingsError, match="nothing is left to run"):
        plan(only, Request({}, clean_up=False))
