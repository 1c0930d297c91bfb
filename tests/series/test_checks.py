"""What a run was given is checked whole before anything is made: with the series' own notebooks."""

from pathlib import Path

import pytest

from haikuft.errors import DataError, SettingsError
from haikuft.series.checks import check_steps
from haikuft.series.planning import Request, find_notebooks, plan

ROOT = Path(__file__).parents[2]
NOVA = "amazon.nova-lite-v1:0:300k"


def check(given: dict[str, str], first: int = 0, base_model_id: str = "") -> None:
    """Check what was given on the command line."""
    steps = plan(find_notebooks(ROOT), Request(given, first=first))
    check_steps(steps, root=ROOT, base_model_id=base_model_id)


def test_check_when_nothing_is_given_then_the_series_is_in_order() -> None:
    """Its own values and its own data set."""
    check({})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epoch_count": "99"}, "epoch_count = 99 is out of range"),
        ({"base_model_id": "claude"}, "claude"),
        ({"validation_share": "0.9"}, "validation_share = 0.9 is too large"),
        ({"serving": "both"}, 'serving = "both"|serving = .both. is not among the choices'),
        ({"model_units": "0"}, "model_units = 0 is too small"),
        ({"commitment": "a year"}, "commitment = 'a year' is not among the choices"),
        ({"task": "poems"}, "task = 'poems' is not among the choices"),
        ({"scorers": "beauty"}, "beauty"),
        ({"role_name": "a role"}, "role_name"),
        ({"permissions_boundary": "mine"}, "permissions_boundary"),
        ({"raw_format": "poem"}, "poem"),
        ({"learning_rate": "0.1"}, "learning_rate"),
    ],
)
def test_check_when_a_value_cannot_be_used_then_it_is_named(
    given: dict[str, str], words: str
) -> None:
    """In the words that the notebook would use, before there is a bucket."""
    with pytest.raises(SettingsError, match=words):
        check(given)


def test_check_when_several_values_are_wrong_then_all_are_named() -> None:
    """One mistake after the other would cost a run each."""
    with pytest.raises(SettingsError, match=r"(?s)epoch_count = 99 .* max_records = -1 "):
        check({"epoch_count": "99", "max_records": "-1"})


def test_check_when_the_record_names_another_model_then_its_ranges_hold() -> None:
    """Nova has its own hyperparameters; a run that continues does not name its model again."""
    check({"learning_rate_warmup_steps": "1"}, first=3, base_model_id=NOVA)
    with pytest.raises(SettingsError, match="batch_size"):
        check({"batch_size": "8"}, first=3, base_model_id=NOVA)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such folder in data/ and no such path"),
        ("", "the file is empty"),
        ('{"prompt": "a", "completion": "b"}\n', "do not suit"),
        ("no JSON at all\n", "raw.jsonl"),
    ],
    ids=["missing", "empty", "too few records", "not JSON"],
)
def test_check_when_the_data_cannot_be_used_then_it_is_said(
    tmp_path: Path, content: str | None, words: str
) -> None:
    """As notebook 2 would, but before notebook 1 has made anything."""
    raw = tmp_path / "raw.jsonl"
    if content is not None:
        raw.write_text(content)
    with pytest.raises(DataError, match=words):
        check({"dataset": str(raw)})


def test_check_when_the_data_is_prepared_already_then_it_is_not_read_again() -> None:
    """A run that continues after notebook 2."""
    steps = plan(find_notebooks(ROOT), Request({}, first=3))
    check_steps(steps, root=Path("/nowhere"))
