"""The inventory as a table and as a sentence."""

from collections.abc import Sequence

from haikuft.inventory.resources import GONE, JOB, UNKNOWN, Resource
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
    left = [one for one in resources if one.status not in {GONE, UNKNOWN} and one.kind != JOB]
    unseen = [one for one in resources if one.status == UNKNOWN]
    billing = [one for one in resources if one.bills]
    sentences = [
        f"Of run {run.record.run} is left: {', '.join(f'{one.kind} {one.name}' for one in left)}."
        if left
        else f"Of run {run.record.run} nothing is left but its jobs' entries, which AWS keeps."
    ]
    if unseen:
        kinds = ", ".join(sorted({one.kind for one in unseen}))
        sentences.append(f"We may not look at: {kinds}; something there may bill.")
    if billing:
        known = [one.per_hour for one in billing if one.per_hour is not None]
        rate = f"US${sum(known):,.4f} an hour" if known else "at a price we do not know"
        more = f", and {len(billing) - len(known)} more of unknown price" if known else ""
        more = more if len(billing) > len(known) else ""
        names = ", ".join(f"{one.kind} {one.name}" for one in billing)
        sentences.append(f"Billing now: {names}, {rate}{more}. Set delete = True to end it.")
    elif not unseen:
        sentences.append("Nothing bills.")
    return " ".join(sentences)
