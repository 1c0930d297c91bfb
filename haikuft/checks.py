"""What looking before a run has found: single checks, and all of them as a table."""

from dataclasses import dataclass
from typing import Literal

from haikuft.errors import SettingsError
from haikuft.tables import build_table

State = Literal["ok", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one look has found.

    Attributes:
        name: what was looked at.
        state: "ok", "warn" (goes on, but read it) or "stop" (the run would fail later).
        message: what was found.
        mend: what to do; "" where there is nothing to do.
    """

    name: str
    state: State
    message: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks, in order. The last line of a cell shows it as a table."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing stops the run."""
        return all(check.state != "stop" for check in self.checks)

    def raise_if_stopped(self) -> None:
        """Stop here where a check says so.

        Raises:
            SettingsError: names every check that stops, and its mend.
        """
        if not self.ok:
            lines = [
                f"{check.name}: {check.message} {check.mend}".rstrip()
                for check in self.checks
                if check.state == "stop"
            ]
            raise SettingsError("The preflight stops here. " + " ".join(lines))

    def _repr_html_(self) -> str:
        rows = [(check.state, check.name, check.message, check.mend) for check in self.checks]
        return build_table(rows, "", "check", "found", "what to do")._repr_html_()

    def __str__(self) -> str:
        return "\n".join(
            f"{check.state:4}  {check.name}: {check.message} {check.mend}".rstrip()
            for check in self.checks
        )
