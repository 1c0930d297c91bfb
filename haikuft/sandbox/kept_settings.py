"""Settings that survive: what was ever set of a sandbox stands in its ledger, name by name."""

import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from haikuft.errors import SettingsError
from haikuft.sandbox.persistence.database import Ledger
from haikuft.sandbox.settings import SandboxSettings, change_settings

KIND = "sandbox.settings"


def begin(ledger: Ledger, wanted: Mapping[str, Any]) -> SandboxSettings:
    """Return the settings a server begins with: those kept, and on top of them those wanted now.

    Raises SandboxError and SettingsError as `read_kept` and `keep` do.
    """
    if "account_id" not in ledger.read(KIND):  # its first start: from now on the account is fixed
        account_id = change_settings(SandboxSettings(), wanted).account_id
        _write(ledger, {"account_id": account_id})
    return keep(ledger, read_kept(ledger), wanted)


def read_kept(ledger: Ledger) -> SandboxSettings:
    """Return the settings as they were last set; what was never set has its default.

    A setting that another version of the sandbox has is left alone, and standard error says so.

    Raises SandboxError, naming the ledger, for a value that cannot be.
    """
    known = {field.name for field in fields(SandboxSettings)}
    kept = ledger.read(KIND)
    for name in sorted(kept.keys() - known):
        print(f"The setting {name} in {ledger.path} is none of this version's.", file=sys.stderr)
    try:
        found = {name: json.loads(value) for name, value in kept.items() if name in known}
        return change_settings(SandboxSettings(), found)
    except ValueError as error:
        raise ledger.damaged(f"{KIND}: {error}") from error


def keep(ledger: Ledger, settings: SandboxSettings, changes: Mapping[str, Any]) -> SandboxSettings:
    """Return the settings with some of them changed, once these are in the ledger.

    Raises SettingsError for a name or value they do not take, and for another account: the number
    stands in the ARN of everything that was made so far.
    """
    changed = change_settings(settings, changes)
    if changed.account_id != settings.account_id:
        raise SettingsError(
            f"account_id is {settings.account_id} since this sandbox's first start. For "
            f"{changed.account_id} name another state directory, or empty this one first with "
            "`haikuft sandbox reset`."
        )
    _write(ledger, changes)
    return changed


def _write(ledger: Ledger, values: Mapping[str, Any]) -> None:
    ledger.apply((KIND, name, json.dumps(value).encode()) for name, value in values.items())
