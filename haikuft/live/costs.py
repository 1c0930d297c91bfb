"""What bills at this moment, since when, and how much so far. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from haikuft.html import escape
from haikuft.inventory.resources import BUCKET, OBJECTS, ROLE, UNKNOWN, Resource, sum_rates
from haikuft.pricing.amounts import format_dollars
from haikuft.runs.lookup import MODEL
from haikuft.tables import Table, build_table

# Ending these ends the work that is in them, too: that is for notebook 7.
KEPT_KINDS = frozenset({MODEL, OBJECTS, BUCKET, ROLE})
NO_PRICE = "price not given"


@dataclass(frozen=True, slots=True)
class Costs:
    """What bills, as AWS told it at one moment.

    Attributes:
        run: The run's name.
        target_bills: Whether the target sends a bill at all.
        billing: What bills; where the target bills nothing, what would on AWS.
        unseen: What we were not allowed to look at.
        at: When it was asked, UTC.
    """

    run: str
    target_bills: bool
    billing: tuple[Resource, ...]
    unseen: tuple[Resource, ...]
    at: datetime

    @property
    def endable(self) -> tuple[Resource, ...]:
        """What can be ended without losing data or a model: what serves, and what trains."""
        return tuple(one for one in self.billing if one.kind not in KEPT_KINDS)

    @property
    def sentence(self) -> str:
        """Say in a sentence or two what it comes to."""
        unseen = ", ".join(sorted({one.kind for one in self.unseen}))
        beside = f" Not known: {unseen}; something there may bill." if unseen else ""
        if not self.target_bills:
            then = "On AWS this would:" if self.billing else "Nothing here would on AWS, either."
            return f"Nothing bills: the sandbox is free. {then}"
        if not self.billing:
            return f"Nothing bills.{beside}" if not unseen else beside.strip()
        known = [one for one in map(self.so_far, self.billing) if one is not None]
        so_far = f"so far about {format_dollars(sum(known))}" if known else NO_PRICE
        if 0 < len(known) < len(self.billing):
            so_far += " for what has a known price"
        return f"Billing now: {so_far}. Cost: {sum_rates(self.billing)}.{beside}"

    @property
    def table(self) -> Table:
        """One row for each thing that bills, or would."""
        rows = [
            (
                one.kind,
                one.name,
                f"{one.since:%Y-%m-%d %H:%M} UTC" if one.since else "not told",
                one.bills or one.would_bill,
                self._amount(one),
            )
            for one in self.billing
        ]
        return build_table(rows, "what", "name", "since", "bills", "so far")

    def so_far(self, resource: Resource) -> float | None:
        """Say what it has cost by the clock, in US dollars; None where price or time is missing.

        AWS rounds in its own ways, and storage is metered by the month: about so much.
        """
        if resource.per_hour is None or resource.since is None:
            return None
        return resource.per_hour * max(0.0, (self.at - resource.since).total_seconds()) / 3600

    def __str__(self) -> str:
        rows = [repr(self.table)] if self.billing else []
        return "\n".join([f"{self._title}: {self.sentence}", *rows])

    def to_html(self) -> str:
        """Build the same as HTML."""
        rows = self.table._repr_html_() if self.billing else ""
        return f"<p><b>{escape(self._title)}</b>: {escape(self.sentence)}</p>{rows}"

    @property
    def _title(self) -> str:
        return f"Running costs of run {self.run}, {self.at:%H:%M:%S} UTC"

    def _amount(self, resource: Resource) -> str:
        if not self.target_bills:
            return "nothing"
        amount = self.so_far(resource)
        return NO_PRICE if amount is None else f"about {format_dollars(amount)}"


def weigh(run: str, resources: Iterable[Resource], *, target_bills: bool, now: datetime) -> Costs:
    """Pick from a run's resources what bills, or would."""
    resources = list(resources)
    return Costs(
        run=run,
        target_bills=target_bills,
        billing=tuple(one for one in resources if one.bills or one.would_bill),
        unseen=tuple(one for one in resources if one.status == UNKNOWN),
        at=now,
    )
