"""What can be set on a sandbox: how fast it is, what its account may do, when it stops."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from haikuft.errors import SettingsError

ACCOUNT_ID = "123456789012"
LIFECYCLES = ("active", "today")


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The settings of one sandbox; they can be changed while it runs.

    Attributes:
        stage_seconds: Shortest time that a job's stage, or making a throughput, takes.
        role_delay_seconds: How long a new role cannot be assumed; AWS needs a while, too.
        model_units_quota: Model units for Provisioned Throughput; AWS gives a new account 0.
        lifecycle: "active": base models as before their Legacy date; "today": by the calendar.
        idle_seconds: The sandbox stops itself after so long without a request or running job.
        account_id: Twelve digits; set when the sandbox starts.
    """

    stage_seconds: float = 1.0
    role_delay_seconds: float = 0.0
    model_units_quota: int = 2
    lifecycle: str = "active"
    idle_seconds: float = 3600.0
    account_id: str = ACCOUNT_ID

    def __post_init__(self) -> None:
        faults = [fault for field in fields(self) if (fault := self._fault(field.name))]
        if faults:
            raise SettingsError("The sandbox cannot be set so: " + "; ".join(faults) + ".")

    def _fault(self, name: str) -> str | None:
        value = getattr(self, name)
        if name in ("stage_seconds", "role_delay_seconds", "idle_seconds"):
            if _is_number(value) and 0 <= value <= 86_400:
                return None
            return f"{name} is {value!r}, but takes seconds from 0 to 86400"
        if name == "model_units_quota":
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000:
                return None
            return f"{name} is {value!r}, but takes a whole number from 0 to 1000"
        if name == "lifecycle":
            return (
                None if value in LIFECYCLES else f"{name} is {value!r}, but takes active or today"
            )
        if isinstance(value, str) and len(value) == 12 and value.isascii() and value.isdigit():
            return None
        return f"{name} is {value!r}, but takes twelve digits"


def change_settings(settings: SandboxSettings, changes: Mapping[str, Any]) -> SandboxSettings:
    """Return the settings with some of them changed.

    Raises SettingsError for a name that is not one of them, or a value out of its range.
    """
    known = [field.name for field in fields(SandboxSettings)]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise SettingsError(
            f"The sandbox has no setting {', '.join(unknown)}. It has: {', '.join(known)}."
        )
    return replace(settings, **changes)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
