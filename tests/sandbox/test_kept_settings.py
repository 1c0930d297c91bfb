"""What was set of a sandbox holds for the next server, too."""

from pathlib import Path

import pytest

from haikuft.errors import SandboxError, SettingsError
from haikuft.sandbox.kept_settings import KIND, begin, keep, read_kept
from haikuft.sandbox.persistence.database import LEDGER_FILE, Ledger
from haikuft.sandbox.settings import SandboxSettings


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Make an empty ledger."""
    return Ledger(tmp_path / LEDGER_FILE)


def test_begin_when_nothing_was_set_then_has_the_defaults(ledger: Ledger) -> None:
    """Only the account is fixed: a default that changes with a version changes here, too."""
    assert begin(ledger, {}) == SandboxSettings()
    assert ledger.read(KIND) == {"account_id": b'"123456789012"'}


def test_begin_when_something_was_set_then_that_holds_and_new_wishes_stand_above_it(
    ledger: Ledger,
) -> None:
    """Set at a start, while it ran, and at the next start."""
    first = begin(ledger, {"stage_seconds": 0, "model_units_quota": 5})
    keep(ledger, first, {"lifecycle": "today"})
    expected = SandboxSettings(stage_seconds=0, model_units_quota=7, lifecycle="today")
    assert begin(ledger, {"model_units_quota": 7}) == expected
    assert begin(ledger, {}) == read_kept(ledger) == expected


def test_keep_when_a_setting_is_refused_then_none_of_them_is_kept(ledger: Ledger) -> None:
    """All or none."""
    settings = begin(ledger, {})
    with pytest.raises(SettingsError, match="model_units_quota"):
        keep(ledger, settings, {"stage_seconds": 0, "model_units_quota": -1})
    assert read_kept(ledger) == settings


def test_account_when_once_begun_then_stays_until_a_reset(ledger: Ledger) -> None:
    """Every ARN made so far has its number."""
    assert begin(ledger, {"account_id": "210987654321"}).account_id == "210987654321"
    assert begin(ledger, {}).account_id == "210987654321"
    assert begin(ledger, {"account_id": "210987654321"}).account_id == "210987654321"
    with pytest.raises(SettingsError, match=r"account_id is 210987654321 since.*sandbox reset"):
        begin(ledger, {"account_id": "123456789012"})


def test_begin_when_a_setting_is_of_another_version_then_leaves_it_and_says_so(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version that knows it finds it again."""
    ledger.apply([(KIND, "warp_share", b"0.5")])
    assert begin(ledger, {}) == SandboxSettings()
    assert "warp_share" in capsys.readouterr().err
    assert ledger.read(KIND)["warp_share"] == b"0.5"


@pytest.mark.parametrize("value", [b"", b"{", b"-1", b'"0"', b"\xff"])
def test_begin_when_a_kept_value_cannot_be_then_names_the_ledger(
    ledger: Ledger, value: bytes
) -> None:
    """It was damaged, or written by hand."""
    ledger.apply([(KIND, "stage_seconds", value)])
    with pytest.raises(SandboxError, match=r"damaged: sandbox\.settings") as caught:
        begin(ledger, {})
    assert str(ledger.path) in str(caught.value)
