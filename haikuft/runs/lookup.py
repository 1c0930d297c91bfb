"""What AWS holds under a run's name, and whose it is. Asked before anything is bought or deleted.

Source: Bedrock API, the List operations and ListTagsForResource.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from haikuft.aws.errors import explaining
from haikuft.aws.ownership import OWNER_TAG, RUN_TAG, is_ours, list_tags, name_owner
from haikuft.errors import AccessError, ConflictError, NotFoundError
from haikuft.package_data import read_toml
from haikuft.runs.run_record import Run, resource_prefix

DEPLOYMENT = "custom model deployment"
THROUGHPUT = "Provisioned Throughput"
JOB = "customization job"
MODEL = "custom model"

Claim = Literal["ours", "other", "unmarked", "unknown"]


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of `listings.toml`, which says what each column holds."""

    operation: Any
    summaries: str
    member: str
    field: str


# In the order of deletion.
LISTINGS = msgspec.convert(read_toml(__package__, "listings.toml"), dict[str, Listing])


@dataclass(frozen=True, slots=True)
class Found:
    """One resource that AWS lists under the run's name, or that the run's record names.

    Attributes:
        claim: "ours"; "other", which is another owner's or another run's; "unmarked", which
            carries no owner id; "unknown", whose tags we may not read.
        tags: its tags; empty where they may not be read.
        status: AWS's word as it was listed; "" where it was not.
        reason: why its tags could not be read; else "".
    """

    kind: str
    arn: str
    name: str
    claim: Claim
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.reason or name_owner(self.tags)}"


def find_resources(run: Run, kind: str) -> list[Found]:
    """Find all of a kind that AWS lists under the run's name, the newest first, and the record's.

    What the record names and AWS does not know is left out.

    Args:
        run: whose.
        kind: DEPLOYMENT, THROUGHPUT, JOB or MODEL.

    Raises:
        AccessError: we may not list them; then nothing can be said of what there is.
    """
    listing, bedrock = LISTINGS[kind], run.connection.client("bedrock")
    found: dict[str, tuple[str, str]] = {}
    with explaining(f"listing each {kind}"):
        pages = bedrock.get_paginator(listing.operation).paginate(
            nameContains=resource_prefix(run.record.run),
            sortBy="CreationTime",
            sortOrder="Descending",
        )
        for one in pages.build_full_result().get(listing.summaries, []):
            arn, name = one[f"{listing.member}Arn"], one[f"{listing.member}Name"]
            found[arn] = name, one.get("status", "")
    recorded, name = recorded_in(run, kind)
    if recorded:
        found.setdefault(recorded, (name, ""))
    judged = (judge(run, kind, arn, *listed) for arn, listed in found.items())
    return [one for one in judged if one is not None]


def recorded_in(run: Run, kind: str) -> tuple[str, str]:
    """Give ARN and name of the one of a kind that the record names; "" for what it does not."""
    field = LISTINGS[kind].field
    return getattr(run.record, f"{field}_arn"), getattr(run.record, f"{field}_name")


def judge(run: Run, kind: str, arn: str, name: str = "", status: str = "") -> Found | None:
    """Read a resource's tags and tell whose it is; None where AWS knows no such resource.

    Name and status are what AWS has listed, as far as it has.
    """
    shown = name or arn.rpartition("/")[2]
    try:
        with explaining(f"reading the tags of {arn}"):
            answer = run.connection.client("bedrock").list_tags_for_resource(resourceARN=arn)
    except NotFoundError:
        return None
    except AccessError as error:
        reason = f"its tags may not be read. {error}"
        return Found(kind, arn, shown, "unknown", status=status, reason=reason)
    tags = {tag["key"]: tag["value"] for tag in answer.get("tags", [])}
    recorded = recorded_in(run, kind)
    # A job's name is written down before it is asked for, and can never be used a second time.
    known = arn == recorded[0] or (kind == JOB and name == recorded[1] and RUN_TAG in tags)
    claim: Claim = "ours" if is_ours(tags, run.tags, recorded=known) else "other"
    if claim == "other" and OWNER_TAG not in tags and tags.get(RUN_TAG) in (None, run.record.run):
        claim = "unmarked"
    return Found(kind, arn, shown, claim, tags, status)


def find_own(run: Run, kind: str) -> list[Found]:
    """Find what of a kind is the run's, the newest first, before another one is bought.

    Raises:
        AccessError: we may not list them or read their tags, so one may be there unseen.
        ConflictError: one that carries no owner id may be ours by its name.
    """
    found = find_resources(run, kind)
    for one in found:
        if one.claim == "unknown":
            raise AccessError(f"Nothing is started beside what may be this run's. {one}")
        if one.claim == "unmarked" and one.name == recorded_in(run, kind)[1]:
            raise ConflictError(
                f"Nothing is started beside what may be this run's. {one}. If it is yours, add the "
                f"tag {OWNER_TAG} = {run.record.owner} to {one.arn}, or delete it."
            )
    return [one for one in found if one.claim == "ours"]


def find_adoptable(run: Run) -> list[Found]:
    """Find what the run's record names and no owner id marks yet: made by an earlier version.

    Raises:
        AccessError: we may not list one kind.
    """
    recorded = [kind for kind in LISTINGS if recorded_in(run, kind)[1]]
    own = [one for kind in recorded for one in find_own(run, kind)]
    return [one for one in own if OWNER_TAG not in one.tags]


def adopt(run: Run, found: Sequence[Found]) -> None:
    """Mark what was found adoptable with the run's owner id."""
    for one in found:
        with explaining(f"tagging {one.arn}"):
            tags = list_tags(run.tags)
            run.connection.client("bedrock").tag_resource(resourceARN=one.arn, tags=tags)


def check_own(run: Run, kind: str, arn: str, name: str = "") -> None:
    """Refuse to change or delete what is not provably the run's.

    Raises:
        ConflictError: it is somebody else's, or carries no owner id.
        AccessError: its tags may not be read.
    """
    found = judge(run, kind, arn, name)
    if found is not None and found.claim != "ours":
        error = AccessError if found.claim == "unknown" else ConflictError
        raise error(f"{found}. It is left alone.")
