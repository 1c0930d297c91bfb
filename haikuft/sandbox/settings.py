"""The settings of a sandbox: its speed, its account's quota, and injected faults.

Settings are stored in the database, one entry each, and hold until they are set again.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from haikuft.errors import SettingsError
from haikuft.sandbox.persistence.database import Database

ACCOUNT_ID = "123456789012"
SETTINGS_KIND = "sandbox.settings"  # of the entries in the database, one for each setting
STAGES = {  # of a customization job, in order: AWS's name -> the name in these settings
    "validationDetails": "validation",
    "dataProcessingDetails": "data_processing",
    "trainingDetails": "training",
}

_Rule = tuple[str, Callable[[Any], bool]]  # what a setting takes, in words and as a test


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The settings of one sandbox; they can be changed while it runs, and hold until reset.

    Shares are of all calls to Bedrock, control plane and runtime, from 0 to 1.

    Attributes:
        stage_seconds: Shortest duration of a job's stage, or of creating a throughput.
        answer_seconds: Shortest duration of a model's reply.
        role_delay_seconds: How long a new role cannot be assumed, as on AWS.
        model_units_quota: Model units for Provisioned Throughput; AWS gives a new account 0.
        lifecycle: "active": base models as before their Legacy date; "today": by the calendar.
        throttle_share: Share of calls refused with ThrottlingException.
        error_share: Share of calls refused with InternalServerException.
        drop_share: Share of calls that are executed, and then the connection is closed.
        fault_seed: Decides which calls have a fault; the same seed chooses the same ones.
        fail_stage: Jobs fail at the end of this stage: validation, data_processing or training.
        fail_message: The failure message they then have.
        stick_stage: Jobs stay in this stage until the setting is changed or they are stopped.
        idle_seconds: The sandbox stops itself after so long without a request or running job.
        account_id: Twelve digits; fixed from the sandbox's first start until it is reset.
    """

    stage_seconds: float = 1.0
    answer_seconds: float = 0.0
    role_delay_seconds: float = 0.0
    model_units_quota: int = 2
    lifecycle: str = "active"
    throttle_share: float = 0.0
    error_share: float = 0.0
    drop_share: float = 0.0
    fault_seed: int = 0
    fail_stage: str = ""
    fail_message: str = "The job was made to fail."
    stick_stage: str = ""
    idle_seconds: float = 3600.0
    account_id: str = ACCOUNT_ID

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {getattr(self, name)!r}, but takes {wanted}"
            for name, (wanted, holds) in _RULES.items()
            if not holds(getattr(self, name))
        ]
        shares = ("throttle_share", "error_share", "drop_share")
        if not faults and sum(getattr(self, name) for name in shares) > 1:
            faults.append(f"{', '.join(shares)} together are more than 1")
        if faults:
            raise SettingsError("The sandbox cannot be set so: " + "; ".join(faults) + ".")


def change_settings(settings: SandboxSettings, changes: Mapping[str, Any]) -> SandboxSettings:
    """Return the settings with some of them changed.

    Raises SettingsError for a name that is not one of them, or a value out of its range.
    """
    _check_names(changes)
    return replace(settings, **changes)


def begin_settings(database: Database, wanted: Mapping[str, Any]) -> SandboxSettings:
    """Return the settings a server begins with: those stored, overridden by those wanted now.

    Raises SandboxError and SettingsError as `load_settings` and `store_settings` do.
    """
    if "account_id" not in database.read(SETTINGS_KIND):  # the first start fixes the account
        account_id = change_settings(SandboxSettings(), wanted).account_id
        _write(database, {"account_id": account_id})
    return store_settings(database, load_settings(database), wanted)


def load_settings(database: Database) -> SandboxSettings:
    """Return the settings as they were last set; what was never set has its default.

    A setting that another version of the sandbox has is not changed, and standard error says so.

    Raises SandboxError, naming the database, for an invalid value.
    """
    known = {field.name for field in fields(SandboxSettings)}
    stored = database.read(SETTINGS_KIND)
    for name in sorted(stored.keys() - known):
        print(f"The setting {name} in {database.path} is none of this version's.", file=sys.stderr)
    try:
        found = {name: json.loads(value) for name, value in stored.items() if name in known}
        return change_settings(SandboxSettings(), found)
    except ValueError as error:
        raise database.damaged(f"{SETTINGS_KIND}: {error}") from error


def store_settings(
    database: Database, settings: SandboxSettings, changes: Mapping[str, Any]
) -> SandboxSettings:
    """Store some changed settings, and return all of them.

    Raises SettingsError for a name or value they do not take, and for another account: the number
    is in the ARN of everything that exists.
    """
    changed = change_settings(settings, changes)
    if changed.account_id != settings.account_id:
        raise SettingsError(
            f"account_id is {settings.account_id} since this sandbox's first start. For "
            f"{changed.account_id} name another state directory, or empty this one first with "
            "`haikuft sandbox reset`."
        )
    _write(database, changes)
    return changed


def _write(database: Database, values: Mapping[str, Any]) -> None:
    with database.transaction() as write:
        for name, value in values.items():
            write(SETTINGS_KIND, name, json.dumps(value).encode())


def parse_settings(words: Iterable[str]) -> dict[str, Any]:
    """Read settings as they are given in a shell: `stage_seconds=0.5`, `lifecycle=today`.

    Raises SettingsError for a word without "=", an unknown name, or a value of another type.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise SettingsError(
                f"{word!r} sets nothing; write NAME=VALUE, such as lifecycle=today."
            )
        _check_names([name])
        default = getattr(SandboxSettings(), name)
        try:
            found[name] = type(default)(text)
        except ValueError:
            raise SettingsError(f"{name} is {text!r}, but takes {_RULES[name][0]}.") from None
    return found


def _check_names(names: Iterable[str]) -> None:
    known = [field.name for field in fields(SandboxSettings)]
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SettingsError(
            f"The sandbox has no setting {', '.join(unknown)}. It has: {', '.join(known)}."
        )


def _number(low: float, high: float) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and low <= value <= high

    return holds


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_account_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 12 and value.isascii() and value.isdigit()


_SECONDS: _Rule = ("seconds from 0 to 86400", _number(0, 86_400))
_SHARE: _Rule = ("a share from 0 to 1", _number(0, 1))
_STAGE: _Rule = (
    f"{', '.join(STAGES.values())} or nothing",
    lambda value: value in ("", *STAGES.values()),
)
_RULES: Mapping[str, _Rule] = {
    "stage_seconds": _SECONDS,
    "answer_seconds": _SECONDS,
    "role_delay_seconds": _SECONDS,
    "model_units_quota": ("a whole number from 0 to 1000", _whole(0, 1000)),
    "lifecycle": ("active or today", lambda value: value in ("active", "today")),
    "throttle_share": _SHARE,
    "error_share": _SHARE,
    "drop_share": _SHARE,
    "fault_seed": ("a whole number from 0 to 4294967295", _whole(0, 2**32 - 1)),
    "fail_stage": _STAGE,
    "fail_message": (
        "a text of 1 to 2048 characters",
        lambda value: isinstance(value, str) and 1 <= len(value) <= 2048,
    ),
    "stick_stage": _STAGE,
    "idle_seconds": _SECONDS,
    "account_id": ("twelve digits", _is_account_id),
}
