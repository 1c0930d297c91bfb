"""Which settings a sandbox takes, and that they hold for the next server."""

from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import SandboxError, SettingsError
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.settings import (
    SETTINGS_KIND,
    SandboxSettings,
    begin_settings,
    change_settings,
    load_settings,
    parse_settings,
    store_settings,
)


def test_change_settings_when_some_are_named_then_the_others_stay() -> None:
    """Settings are values; a change is a new one."""
    before = SandboxSettings(role_delay_seconds=3)
    after = change_settings(before, {"stage_seconds": 0, "lifecycle": "today"})
    assert after == SandboxSettings(stage_seconds=0, role_delay_seconds=3, lifecycle="today")
    assert before.stage_seconds == 0.5


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


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Make an empty database."""
    return Database(tmp_path / DATABASE_FILE)


def test_begin_when_nothing_was_set_then_has_the_defaults(database: Database) -> None:
    """Only the account is fixed: a default that changes with a version changes here, too."""
    assert begin_settings(database, {}) == SandboxSettings()
    assert database.read(SETTINGS_KIND) == {"account_id": b'"123456789012"'}


def test_begin_when_something_was_set_then_that_holds_and_new_wishes_stand_above_it(
    database: Database,
) -> None:
    """Set at a start, while it ran, and at the next start."""
    first = begin_settings(database, {"stage_seconds": 0, "model_units_quota": 5})
    store_settings(database, first, {"lifecycle": "today"})
    expected = SandboxSettings(stage_seconds=0, model_units_quota=7, lifecycle="today")
    assert begin_settings(database, {"model_units_quota": 7}) == expected
    assert begin_settings(database, {}) == load_settings(database) == expected


def test_keep_when_a_setting_is_refused_then_none_of_them_is_kept(database: Database) -> None:
    """All or none."""
    settings = begin_settings(database, {})
    with pytest.raises(SettingsError, match="model_units_quota"):
        store_settings(database, settings, {"stage_seconds": 0, "model_units_quota": -1})
    assert load_settings(database) == settings


def test_account_when_once_begun_then_stays_until_a_reset(database: Database) -> None:
    """Every ARN made so far has its number."""
    assert begin_settings(database, {"account_id": "210987654321"}).account_id == "210987654321"
    assert begin_settings(database, {}).account_id == "210987654321"
    assert begin_settings(database, {"account_id": "210987654321"}).account_id == "210987654321"
    with pytest.raises(SettingsError, match=r"account_id is 210987654321 since.*sandbox reset"):
        begin_settings(database, {"account_id": "123456789012"})


def test_begin_when_a_setting_is_of_another_version_then_leaves_it_and_says_so(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version that knows it finds it again."""
    with database.transaction() as write:
        write(SETTINGS_KIND, "warp_share", b"0.5")
    assert begin_settings(database, {}) == SandboxSettings()
    assert "warp_share" in capsys.readouterr().err
    assert database.read(SETTINGS_KIND)["warp_share"] == b"0.5"


def test_setting_when_its_name_has_a_terminals_colours_then_they_are_shown(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the error for whoever sets it, and in the log of a server that finds it."""
    with pytest.raises(SettingsError, match=r"has no setting \\x1b\[31mred\."):
        parse_settings(["\x1b[31mred=1"])
    with database.transaction() as write:
        write(SETTINGS_KIND, "\x1b[31mred", b"1")
    begin_settings(database, {})
    assert r"The setting \x1b[31mred in" in capsys.readouterr().err


@pytest.mark.parametrize("value", [b"", b"{", b"-1", b'"0"', b"\xff"])
def test_begin_when_a_stored_value_cannot_be_then_names_the_database(
    database: Database, value: bytes
) -> None:
    """It was damaged, or written by hand."""
    with database.transaction() as write:
        write(SETTINGS_KIND, "stage_seconds", value)
    with pytest.raises(SandboxError, match=r"damaged: sandbox\.settings") as caught:
        begin_settings(database, {})
    assert str(database.path) in str(caught.value)
