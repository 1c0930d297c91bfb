"""Which settings a sandbox takes."""

from typing import Any

import pytest

from haikuft.errors import SettingsError
from haikuft.sandbox.settings import SandboxSettings, change_settings, parse_settings


def test_change_settings_when_some_are_named_then_the_others_stay() -> None:
    """Settings are values; a change is a new one."""
    before = SandboxSettings(role_delay_seconds=3)
    after = change_settings(before, {"stage_seconds": 0, "lifecycle": "today"})
    assert after == SandboxSettings(stage_seconds=0, role_delay_seconds=3, lifecycle="today")
    assert before.stage_seconds == 1.0


def test_change_settings_when_a_name_is_unknown_then_lists_the_known_ones() -> None:
    """A misspelt setting is never swallowed."""
    with pytest.raises(SettingsError, match=r"stage_second\b.*stage_seconds"):
        change_settings(SandboxSettings(), {"stage_second": 0})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage_seconds", -1),
        ("stage_seconds", float("nan")),
        ("stage_seconds", True),
        ("role_delay_seconds", "3"),
        ("idle_seconds", 86_401),
        ("model_units_quota", 1.5),
        ("model_units_quota", -1),
        ("lifecycle", "ended"),
        ("answer_seconds", float("inf")),
        ("throttle_share", 1.1),
        ("drop_share", -0.1),
        ("fault_seed", -1),
        ("fail_stage", "testing"),
        ("stick_stage", None),
        ("fail_message", ""),
        ("account_id", "12345678901"),
        ("account_id", "١٢٣٤٥٦٧٨٩٠١٢"),
    ],
)
def test_settings_when_a_value_is_out_of_range_then_names_it_and_its_range(
    name: str, value: Any
) -> None:
    """The message names the setting, the value, and what it takes."""
    with pytest.raises(SettingsError, match=rf"{name} is .*, but takes "):
        SandboxSettings(**{name: value})


def test_settings_when_the_shares_are_more_than_all_calls_then_says_so() -> None:
    """A call suffers one fault at most."""
    with pytest.raises(SettingsError, match="together are more than 1"):
        SandboxSettings(throttle_share=0.6, error_share=0.3, drop_share=0.2)


def test_parse_settings_when_given_as_in_a_shell_then_each_has_its_type() -> None:
    """The setting decides what the text means, not its looks."""
    words = ["stage_seconds=0", "model_units_quota=3", "fail_message=42", "lifecycle=today"]
    assert parse_settings(words) == {
        "stage_seconds": 0.0,
        "model_units_quota": 3,
        "fail_message": "42",
        "lifecycle": "today",
    }


@pytest.mark.parametrize("word", ["lifecycle", "", "model_units_quota=few", "colour=red"])
def test_parse_settings_when_a_word_sets_nothing_known_then_it_is_refused(word: str) -> None:
    """No word is passed over."""
    with pytest.raises(SettingsError):
        parse_settings([word])
