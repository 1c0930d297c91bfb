"""Look before anything is made: base model, access, quotas, bucket. Reads only, costs nothing.

Sources: Bedrock API, ListFoundationModels and GetFoundationModelAvailability; Service Quotas API;
Bedrock User Guide, "Model lifecycle".
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from haikuft import s3 as s3_files
from haikuft.aws import Connection
from haikuft.aws.errors import explaining, unless_absent
from haikuft.aws.ownership import OWNER_TAG, RUN_TAG, is_foreign, is_ours, refuse_named
from haikuft.base_models import BaseModel, describe_lifecycle, lifecycle_state, list_tunable
from haikuft.errors import AccessError, ConflictError, NotFoundError, SettingsError, wrap
from haikuft.iam import build_trust_policy, roles
from haikuft.inventory.lost import find_lost
from haikuft.package_data import read_toml
from haikuft.runs.folders import record_path
from haikuft.runs.lookup import THROUGHPUT, find_adoptable, judge
from haikuft.runs.run_record import Run
from haikuft.tables import build_table, mark_status

_TABLE = read_toml(__package__, "preflight.toml")
_API_KEY = "AWS_BEARER_TOKEN_BEDROCK"
_UNREAD = (AccessError, NotFoundError, SettingsError)  # what reading access or a quota may raise
State = Literal["ok", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one look has found.

    Attributes:
        name: what was looked at.
        state: "ok", "warn" (read it, then continue) or "stop" (the run would fail later).
        message: what was found.
        fix: what to do; "" where there is nothing to do.
    """

    name: str
    state: State
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.message} {self.fix}".rstrip()


@dataclass(frozen=True, slots=True, repr=False)
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
            SettingsError: names every check that stops, and how to fix it.
        """
        if not self.ok:
            stops = (str(check) for check in self.checks if check.state == "stop")
            raise SettingsError("The preflight stops here. " + " ".join(stops))

    def _repr_html_(self) -> str:
        rows = [(mark_status(c.state), c.name, c.message, c.fix) for c in self.checks]
        return build_table(rows, "", "check", "found", "what to do")._repr_html_()

    def __repr__(self) -> str:
        return "\n".join(wrap(f"{mark_status(one.state)}  {one}") for one in self.checks)


def run_preflight(run: Run, *, bucket: str, today: date, role_name: str = "") -> Preflight:
    """Run all checks for a run that will use this bucket and role.

    Args:
        run: where it is to work, and what is to be tuned.
        bucket: the bucket it will make or find; under another name than the default, it may be
            one that somebody else has made.
        today: the day the lifecycle is held against.
        role_name: the role, likewise; "" for the run's default.

    Raises:
        SettingsError: no role can have that name.
    """
    role_name = roles.check_role_name(role_name or roles.default_role_name(run.record.run))
    return Preflight(
        (
            check_identity(run.connection),
            *check_api_key(run.connection),
            check_owner(run),
            check_base_model(run, today),
            check_access(run),
            *check_quotas(run),
            *check_units(run),
            check_bucket(run, bucket),
            check_role(run, role_name),
        )
    )


def check_identity(connection: Connection) -> Check:
    """Say who we are and where."""
    who = connection.caller_arn.rpartition(":")[2]
    place = f" at {connection.endpoint}" if connection.endpoint else ""
    account = connection.account_id[-4:]
    return _conclude("identity", account=account, who=who, region=connection.region, place=place)


def check_api_key(connection: Connection) -> list[Check]:
    """Say if a Bedrock API key makes Bedrock see another identity than STS shows.

    Source: Bedrock User Guide, api-keys-use; botocore prefers the key to any other credentials.
    """
    if connection.target == "sandbox" or not os.environ.get(_API_KEY):
        return []
    return [_conclude("api-key", variable=_API_KEY)]


def check_owner(run: Run) -> Check:
    """Say whether the run's name is free, ours, or used by another run in this account and Region.

    What an earlier version made and the record names is shown: notebook 1 marks it as the run's.
    """
    name = run.record.run
    lost = find_lost(run.connection, run.base_model, name)
    try:
        adoptable = find_adoptable(run)
    except AccessError as error:
        return _conclude("owner-unseen", run=name, error=error)
    except ConflictError as error:
        return _conclude("owner-conflict", error=error)
    known = {run.record.bucket, run.record.role_name} | {one.arn for one in adoptable}
    others = [
        one
        for one in lost.found
        if RUN_TAG in one.tags
        and one.tags.get(OWNER_TAG) != run.record.owner
        and (OWNER_TAG in one.tags or one.arn not in known)
    ]
    if others:
        owners = {one.tags[OWNER_TAG] for one in others if OWNER_TAG in one.tags}
        again = " or ".join(f'owner = "{owner}"' for owner in sorted(owners))
        again = f" If it is yours and its record was lost, resume it: {again}." if again else ""
        found = ". ".join(map(str, others))
        return _conclude("name-taken", run=name, others=found, free=_free_name(run), again=again)
    unseen = ", ".join(one.kind for one in lost.unseen)
    if unseen:
        return _conclude("others-unseen", kinds=unseen)
    if adoptable:
        names = ", ".join(f"{one.kind} {one.name}" for one in adoptable)
        return _conclude("adoptable", names=names, owner=run.record.owner)
    return _conclude("own-name", run=name, owner=run.record.owner)


def _free_name(run: Run) -> str:
    """Propose a name for the run of which neither bucket nor role exists, nor a record here."""
    s3, iam = run.connection.client("s3"), run.connection.client("iam")
    for number in range(2, 100):
        name = f"{run.record.run[:29]}-{number}"
        try:
            bucket = s3_files.bucket_region(s3, _default_bucket(run, name))
            role = roles.find_role(iam, roles.default_role_name(name))
            if not (bucket or role or record_path(name).exists()):
                return name
        except AccessError:  # there is one that we may not read
            continue
    return f"{run.record.run[:26]}-{run.record.owner[:4]}"


def _default_bucket(run: Run, name: str) -> str:
    """Name the bucket that a run of that name makes in this one's account and Region."""
    record = run.record
    return s3_files.default_bucket_name(name, account_id=record.account_id, region=record.region)


def check_base_model(run: Run, today: date) -> Check:
    """Ask Bedrock whether it tunes the model here, and how far along its life the model is."""
    base_model, region = run.base_model, run.connection.region
    bedrock = run.connection.client("bedrock")
    try:
        with explaining("listing the models that Bedrock can tune"):
            answer = bedrock.list_foundation_models(byCustomizationType="FINE_TUNING")
    except AccessError as error:
        return _conclude("models-unseen", error=error)
    offers = {model["modelId"]: model for model in answer.get("modelSummaries", [])}
    offer = offers.get(base_model.id)
    values: dict[str, Any] = {"model": base_model.name, "id": base_model.id, "region": region}
    values |= {
        "documented": describe_lifecycle(base_model, today),
        "elsewhere": _name_others(offers, base_model, today),
    }
    if offer is None:
        regions = ", ".join(base_model.regions)
        where = "" if region in base_model.regions else f" Fine-tuning it was offered in {regions}."
        return _conclude("model-not-offered", **values, where=where)
    lifecycle: Mapping[str, Any] = offer.get("modelLifecycle", {})
    ended = lifecycle.get("endOfLifeTime")
    if isinstance(ended, datetime) and ended.date() <= today:
        return _conclude("model-ended", **values, ended=ended.date())
    if lifecycle.get("status", "ACTIVE") != "ACTIVE":
        return _conclude("model-not-active", **values, status=lifecycle["status"])
    if lifecycle_state(base_model, today) != "active":
        return _conclude("model-active-against-dates", **values)
    return _conclude("model-active", **values)


def check_access(run: Run) -> Check:
    """Ask whether the account may use the model: agreement, authorization, entitlement."""
    base_model, bedrock = run.base_model, run.connection.client("bedrock")
    try:
        with explaining(f"reading the access to {base_model.foundation_id}"):
            answer = bedrock.get_foundation_model_availability(modelId=base_model.foundation_id)
    except _UNREAD as error:
        return _conclude("access-unseen", error=error)
    readings = {
        "agreement": answer["agreementAvailability"]["status"],
        "authorization": answer["authorizationStatus"],
        "entitlement": answer["entitlementAvailability"],
        "Region": answer["regionAvailability"],
    }
    missing = {key: v for key, v in readings.items() if v not in {"AVAILABLE", "AUTHORIZED"}}
    if missing:
        said = ", ".join(f"{key} is {value}" for key, value in missing.items())
        return _conclude("access-missing", model=base_model.name, said=said)
    return _conclude("access", model=base_model.name)


def check_quotas(run: Run) -> list[Check]:
    """Read the quotas that a run meets; too few model units would waste the training's money."""
    return [_check_quota(run, *quota) for quota in run.base_model.quota_codes.items()]


def _check_quota(run: Run, meaning: str, code: str) -> Check:
    name = meaning.replace("_", " ")
    row = {"what": name, "units": False, **_TABLE["quotas"].get(meaning, {})}
    said = {"meaning": name, "code": code, "what": row["what"]}
    try:
        value = _read_quota(run, code)
    except _UNREAD as error:
        return _conclude("quota-unseen", **said, error=error)
    is_needed = not row["units"] or run.base_model.serving[0] == "provisioned_throughput"
    outcome = "quota"
    if value < is_needed:
        outcome = "units-too-few" if row["units"] else "quota-too-low"
    return _conclude(outcome, **said, value=value, needed=int(is_needed))


def check_units(run: Run) -> list[Check]:
    """Say whose Provisioned Throughput leaves no model unit for this run's, if it needs one."""
    bedrock = run.connection.client("bedrock")
    code = run.base_model.quota_codes.get("no_commitment_units", "")
    if run.base_model.serving[0] != "provisioned_throughput" or not code:
        return []
    try:
        quota = _read_quota(run, code)
        with explaining("listing each Provisioned Throughput"):
            pages = bedrock.get_paginator("list_provisioned_model_throughputs").paginate()
            held = [one for page in pages for one in page["provisionedModelSummaries"]]
    except _UNREAD:
        return []  # the other checks say so
    # The quota counts throughput without commitment, of custom models.
    held = [one for one in held if "commitmentDuration" not in one]
    held = [one for one in held if ":custom-model/" in one["modelArn"]]
    used = sum(one["modelUnits"] for one in held)
    if not 0 < quota < used + 1:  # a quota of 0 has a check of its own
        return []
    holders = {}
    for one in held:
        name = one["provisionedModelName"]
        found = judge(run, THROUGHPUT, one["provisionedModelArn"], name)
        if found is None or found.claim == "ours":
            return []  # it is gone since, or this run is served already
        holders[name] = found.tags.get(RUN_TAG, "")
    runs = [holder for holder in holders.values() if holder]
    outcome = "units-in-use" if run.connection.target == "aws" else "sandbox-units-in-use"
    ending = f", or end one: `haikuft clean-up --run {runs[0]}`" if runs else ""
    names = [f"{name} ({f'run {of}' if of else 'not of a run'})" for name, of in holders.items()]
    held_by = ", ".join(names)
    return [_conclude(outcome, quota=quota, names=held_by, wanted=used + 1, ending=ending)]


def check_bucket(run: Run, bucket: str) -> Check:
    """Say whether the bucket can be made or used: its Region, and whose it is."""
    s3, region = run.connection.client("s3"), run.connection.region
    try:
        found = s3_files.bucket_region(s3, bucket)
    except AccessError as error:
        return _conclude("bucket-unreadable", bucket=bucket, error=error)
    if found is None:
        return _conclude("bucket-to-make", bucket=bucket, region=region)
    if found != region:
        return _conclude("bucket-elsewhere", bucket=bucket, found=found, region=region)
    marks = s3_files.bucket_tags(s3, bucket)
    if is_foreign(marks) and bucket != _default_bucket(run, run.record.run):
        return _conclude("bucket-given", bucket=bucket, region=region)
    if not is_ours(marks, run.tags, recorded=bucket == run.record.bucket):
        return _refuse("bucket", bucket, marks, run.tags)
    return _conclude("bucket", bucket=bucket, region=region)


def check_role(run: Run, name: str) -> Check:
    """Say whether the role can be made or used: whose it is, and whether Bedrock may assume it."""
    try:
        role = roles.find_role(run.connection.client("iam"), name)
    except AccessError as error:
        return _conclude("role-unseen", role=name, error=error)
    if role is None:
        return _conclude("role-to-make", role=name)
    if is_foreign(role.tags) and name != roles.default_role_name(run.record.run):
        trust = build_trust_policy(run.record.account_id, run.record.region)
        try:
            roles.check_given(role, trust)
        except AccessError as error:
            return _conclude("role-without-trust", error=error)
        return _conclude("role-given", role=role.arn)
    recorded = name == run.record.role_name and RUN_TAG in role.tags
    if not is_ours(role.tags, run.tags, recorded=recorded):
        return _refuse("role", name, role.tags, run.tags)
    return _conclude("role", role=name)


def _conclude(outcome: str, **values: object) -> Check:
    """Make the check that `preflight.toml` describes, the names in braces replaced by values."""
    row = _TABLE["outcomes"][outcome]
    name, message, fix = (
        row.get(part, "").format_map(values) for part in ("name", "message", "fix")
    )
    return Check(name, row["state"], message, fix)


def _refuse(kind: str, name: str, found: Mapping[str, str], marks: Mapping[str, str]) -> Check:
    """Refuse a bucket or role that is somebody else's."""
    message, fix = refuse_named(kind, name, found, marks).split(" It is left alone. ")
    return _conclude(f"{kind}-not-ours", message=message, fix=fix)


def _read_quota(run: Run, code: str) -> float:
    """Read the value in this account, or AWS's default where the account has none of its own."""
    quotas = run.connection.client("service-quotas")
    with explaining(f"reading quota {code}"):
        wanted = {"ServiceCode": "bedrock", "QuotaCode": code}
        own = unless_absent(quotas.get_service_quota, **wanted)
        answer: Any = own or quotas.get_aws_default_service_quota(**wanted)
        return float(answer["Quota"]["Value"])


def _name_others(offers: Mapping[str, Any], base_model: BaseModel, today: date) -> str:
    active = [
        model_id
        for model_id, model in offers.items()
        if model_id != base_model.id
        and model.get("modelLifecycle", {}).get("status", "ACTIVE") == "ACTIVE"
    ]
    here = f"Bedrock still tunes here: {', '.join(active)}. " if active else ""
    listed = "; ".join(
        f"{model.name}, base_model_id {model.id}, in {model.region}"
        for model in list_tunable(today)
        if model is not base_model
    )
    dates = base_model.lifecycle
    return (
        f"{here}By AWS's documentation ({dates.source}, as of {dates.as_of}) these can still be "
        f"tuned: {listed}. The sandbox teaches the whole series with any of them."
    )
