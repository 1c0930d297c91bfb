"""The settings of a sandbox: its speed, its account's quota, and injected faults.

Settings are stored in the database, one entry each, and hold until they are set again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from haikuft.errors import SettingsError
from haikuft.html import visible
from haikuft.sandbox.directory import write_log
from haikuft.sandbox.persistence.database import Database

ACCOUNT_ID = "123456789012"
SETTINGS_KIND = "sandbox.settings"  # of the entries in the database, one for each setting
STAGES = {  # of a customization job, in order: AWS's name -> the name in these settings
    "validationDetails": "validation",
    "dataProcessingDetails": "data_processing",
    "trainingDetails": "training",
}

_Seconds = Annotated[float, Meta(ge=0, le=86_400, description="seconds from 0 to 86400")]
_Share = Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")]
_Stage = Annotated[
    str,
    Meta(
        pattern=rf"\A({'|'.join(STAGES.values())}|)\Z",
        description=f"{', '.join(STAGES.values())} or nothing",
    ),
]


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

    stage_seconds: _Seconds = 0.5
    answer_seconds: _Seconds = 0.0
    role_delay_seconds: _Seconds = 0.0
    model_units_quota: Annotated[
        int, Meta(ge=0, le=1000, description="a whole number from 0 to 1000")
    ] = 2
    lifecycle: Annotated[
        str, Meta(pattern=r"\A(active|today)\Z", description="active or today")
    ] = "active"
    throttle_share: _Share = 0.0
    error_share: _Share = 0.0
    drop_share: _Share = 0.0
    fault_seed: Annotated[
        int, Meta(ge=0, le=2**32 - 1, description="a whole number from 0 to 4294967295")
    ] = 0
    fail_stage: _Stage = ""
    fail_message: Annotated[
        str, Meta(min_length=1, max_length=2048, description="a text of 1 to 2048 characters")
    ] = "The job was made to fail."
    stick_stage: _Stage = ""
    idle_seconds: _Seconds = 3600.0
    account_id: Annotated[str, Meta(pattern=r"\A[0-9]{12}\Z", description="twelve digits")] = (
        ACCOUNT_ID
    )

    def __post_init__(self) -> None:
        faults = []
        for name, rule in _RULES.items():
            try:
                msgspec.convert(getattr(self, name), rule)
            except msgspec.ValidationError:
                faults.append(f"{name} is {getattr(self, name)!r}, but takes {_describe(name)}")
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
    stored = database.read(SETTINGS_KIND)
    for name in sorted(stored.keys() - _RULES.keys()):
        write_log(f"The setting {name} in {database.path} is none of this version's.")
    try:
        found = {name: json.loads(value) for name, value in stored.items() if name in _RULES}
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
            raise SettingsError(f"{name} is {text!r}, but takes {_describe(name)}.") from None
    return found


def _check_names(names: Iterable[str]) -> None:
    unknown = sorted(set(names) - _RULES.keys())
    if unknown:
        raise SettingsError(
            f"The sandbox has no setting {visible(', '.join(unknown))}. It has: "
            f"{', '.join(_RULES)}."
        )


_RULES: Mapping[str, Any] = get_type_hints(SandboxSettings, include_extras=True)


def _describe(name: str) -> str:
    """Say what a setting takes."""
    return str(_RULES[name].__metadata__[0].description)
