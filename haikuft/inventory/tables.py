"""The inventory as a table and as a sentence."""

from collections.abc import Sequence

from haikuft.inventory.resources import GONE, OTHER, UNKNOWN, Resource, sum_rates
from haikuft.lookup import JOB
from haikuft.run_record import Run
from haikuft.tables import Table, build_table


def tabulate(resources: Sequence[Resource]) -> Table:
    """Lay resources out as a table: one row each, in the order of deletion."""
    rows = [
        (
            one.kind,
            one.name,
            one.status,
            one.bills or "no",
            "" if one.per_hour is None else f"{one.per_hour:,.4f}",
            one.hint,
        )
        for one in resources
    ]
    return build_table(rows, "what", "name", "status", "bills", "US$ an hour", "note")


def summarise(run: Run, resources: Sequence[Resource]) -> str:
    """Say in a few sentences what is left of a run, and what of it bills."""
    others = [one for one in resources if one.status == OTHER]
    left = [
        one
        for one in resources
        if one.status not in {GONE, UNKNOWN, OTHER} and (one.kind != JOB or one.bills)
    ]
    unseen = [one for one in resources if one.status == UNKNOWN]
    billing = [one for one in resources if one.bills]
    sentences = [
        f"Of run {run.record.run} is left: {', '.join(f'{one.kind} {one.name}' for one in left)}."
        if left
        else f"Of run {run.record.run} nothing is left but its jobs' entries, which AWS keeps."
    ]
    if unseen:
        kinds = ", ".join(sorted({one.kind for one in unseen}))
        sentences.append(f"Not known: {kinds}; something there may bill.")
    if others:
        names = ", ".join(f"{one.kind} {one.name}" for one in others)
        sentences.append(f"Not this run's, and left alone: {names}.")
    if billing:
        names = ", ".join(f"{one.kind} {one.name}" for one in billing)
        rates = sum_rates(billing)
        sentences.append(f"Billing now: {names}. Cost: {rates}. Set delete = True to end it.")
    elif not unseen:
        sentences.append("Nothing of this run bills.")
    return " ".join(sentences)
