"""Which trials a search has, and on which records each of them trains."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from haikuft.base_models import NOVA_MICRO
from haikuft.errors import SettingsError
from haikuft.runs.run_record import Run
from haikuft.search.trials import SEEDS, build_trials, take_part

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]
GRID = {"epoch_count": ["2", "5"], "learning_rate_multiplier": ["0.5", "1.0"]}


def test_trials_when_a_grid_is_given_then_repetitions_come_first_and_none_is_twice(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The combination of the suggested values is the first repetition."""
    trials = build_trials(set_up(new_run()), GRID)

    assert [one.seed for one in trials] == [*SEEDS, 1, 1, 1]
    tried = [tuple(one.hyperparameters[name] for name in GRID) for one in trials]
    assert tried[:3] == [(5, 0.5)] * 3
    assert set(tried[3:]) == {(2, 0.5), (2, 1.0), (5, 1.0)}
    assert {one.share for one in trials} == {1.0}


def test_trials_when_some_are_drawn_at_random_then_always_the_same(
    new_run: NewRun, set_up: SetUp
) -> None:
    """More than there are is all of them."""
    run = set_up(new_run())
    values = {"batch_size": ["4", "16", "32", "64"], "epoch_count": ["1", "2", "3"]}

    drawn = build_trials(run, values, random=4)

    assert len(drawn) == 3 + 4
    assert drawn == build_trials(run, values, random=4)
    assert {one.key for one in drawn} < {one.key for one in build_trials(run, values)}
    assert len(build_trials(run, values, random=99)) == 3 + 12


def test_trials_when_a_learning_curve_is_asked_for_then_each_part_has_each_order(
    new_run: NewRun, set_up: SetUp
) -> None:
    """In the orders of the repetitions."""
    parts = build_trials(set_up(new_run(NOVA_MICRO)), {}, parts=True)

    assert [(one.share, one.seed) for one in parts[3:]] == [
        (share, seed) for share in (0.25, 0.5) for seed in SEEDS
    ]
    assert [one.passes for one in parts[2:4]] == [5, 1.25]


def test_trials_when_parts_are_too_small_for_the_model_then_they_are_left_out(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Bedrock would refuse a training file of 8 records for Claude."""
    assert {one.share for one in build_trials(set_up(new_run()), {}, parts=True)} == {1.0}


def test_parts_when_taken_then_the_larger_contain_the_smaller_and_orders_differ(
    new_run: NewRun, set_up: SetUp
) -> None:
    """So that a learning curve compares more data with less, and nothing else."""
    trials = build_trials(set_up(new_run(NOVA_MICRO)), {}, parts=True)
    lines = [str(number) for number in range(40)]

    taken = {(one.share, one.seed): take_part(lines, one) for one in trials}

    for seed in SEEDS:
        assert taken[1.0, seed][:20] == taken[0.5, seed]
        assert taken[0.5, seed][:10] == taken[0.25, seed]
        assert sorted(taken[1.0, seed]) == sorted(lines)
    assert len({tuple(taken[0.25, seed]) for seed in SEEDS}) == 3


def test_keys_when_the_data_changes_then_every_trial_is_another(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Results of other data must never be taken for these."""
    run = set_up(new_run())
    before = {one.key for one in build_trials(run, GRID)}
    with (run.data / "validation.jsonl").open("a") as file:
        file.write("\n")

    assert not before & {one.key for one in build_trials(run, GRID)}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"epoch_count": ["200"]}, "epochCount = '200' is out of range"),
        ({"batch_size": ["many"]}, "batchSize = 'many' is not a whole number"),
        ({"learning_rate": ["1e-5"]}, '"learning_rate" is no hyperparameter of this model'),
    ],
)
def test_trials_when_a_value_cannot_be_used_then_it_is_named_before_any_job(
    new_run: NewRun, set_up: SetUp, choices: dict[str, list[str]], message: str
) -> None:
    """In the words of notebook 3."""
    with pytest.raises(SettingsError, match=message):
        build_trials(set_up(new_run()), choices)


def test_trials_when_there_is_no_validation_file_then_says_what_to_do(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Trials could not be compared."""
    run = set_up(new_run())
    without = replace(run, record=replace(run.record, validation_uri=""))

    with pytest.raises(SettingsError, match="Set validation_share in notebook 2"):
        build_trials(without, GRID)
