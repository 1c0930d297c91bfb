"""The inventory as a table and as a sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime

from haikuft.errors import wrap
from haikuft.inventory.resources import GONE, OTHER, UNKNOWN, Resource, sum_rates
from haikuft.pricing.amounts import format_dollars
from haikuft.runs.lookup import JOB
from haikuft.runs.run_record import Run
from haikuft.tables import Table, build_table, mark_status


def tabulate(resources: Sequence[Resource]) -> Table:
    """Lay resources out as a table: one row each, in the order of deletion."""
    rows = [
        (
            one.kind,
            one.name,
            mark_status(one.status),
            str(datetime.now(UTC) - one.since).partition(".")[0] if one.since else "",
            one.bills or "no",
            "" if one.per_hour is None else f"{one.per_hour:,.4f}",
            one.hint,
        )
        for one in resources
    ]
    return build_table(rows, "what", "name", "status", "age", "bills", "US$ an hour", "note")


def summarise(run: Run, resources: Sequence[Resource]) -> str:
    """Say what is left of a run, and what of it bills."""
    apart = {GONE, UNKNOWN, OTHER}
    left = [one for one in resources if one.status not in apart and (one.kind != JOB or one.bills)]
    names = ", ".join(f"{one.kind} {one.name}" for one in left)
    rest = f"is left: {names}" if left else "nothing is left but its jobs' entries, which AWS keeps"
    first = f'Of run "{run.record.run}" {rest}.'
    return "\n".join([wrap(first), *describe_billing(resources, "Set delete = True to end it.")])


def describe_billing(
    resources: Sequence[Resource], *commands: str, of: str = "this run"
) -> list[str]:
    """Say what of these bills, what is not known, what is not the run's, and what ends it.

    The commands are whole lines, and are left out where nothing bills; `of` says whose things these
    are.
    """
    billing = [one for one in resources if one.bills]
    unseen = [one for one in resources if one.status == UNKNOWN]
    others = [one for one in resources if one.status == OTHER]
    nothing = "not known, and something may bill." if unseen else f"nothing of {of}."
    lines = ["Billing now:" if billing else f"Billing now: {nothing}"]
    lines += [f"  {one.kind} {one.name}: {_rate(one)}" for one in billing]
    lines += [f"  In all: {sum_rates(billing)}."] if billing else []
    lines += [f"  not known: {one.kind} {one.name}: {one.hint}" for one in unseen]
    lines += [f"Not this run's: {one.kind} {one.name}: {one.hint}" for one in others]
    return [*lines, *(commands if billing or unseen else [])]


def _rate(resource: Resource) -> str:
    if resource.per_hour is None:
        return resource.bills
    return f"{format_dollars(resource.per_hour)} an hour; {resource.bills}"
