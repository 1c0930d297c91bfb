"""The banner of notebooks 5 to 7: what bills now, and the button that ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import ipywidgets as widgets

from haikuft.errors import HaikuftError
from haikuft.forms.showing import build_button
from haikuft.html import build_status, escape
from haikuft.inventory import list_resources
from haikuft.inventory.deletion import delete_resource
from haikuft.inventory.resources import BUCKET, OBJECTS, ROLE, UNKNOWN, Resource, sum_rates
from haikuft.live.confirm_button import ConfirmButton
from haikuft.live.interactive import build_bundle, is_interactive
from haikuft.live.monitor import LOSS, utc_now
from haikuft.pricing.amounts import format_dollars
from haikuft.runs.lookup import JOB, MODEL
from haikuft.runs.run_record import Run
from haikuft.tables import Table, build_table

REFRESH = "Look again"
NO = "No, leave it"
# Ending these ends the work that is in them, too: that is for notebook 7.
KEPT_KINDS = frozenset({MODEL, OBJECTS, BUCKET, ROLE})
NO_PRICE = "price not given"


@dataclass(frozen=True, slots=True)
class Costs:
    """What bills, as AWS told it at one moment.

    Attributes:
        run: The run's name.
        target_bills: Whether the target sends a bill at all.
        resources: All that the run has.
        at: When it was asked, UTC.
    """

    run: str
    target_bills: bool
    resources: Sequence[Resource]
    at: datetime

    @property
    def billing(self) -> list[Resource]:
        """What bills; where the target bills nothing, what would on AWS."""
        return [one for one in self.resources if one.bills or one.would_bill]

    @property
    def endable(self) -> list[Resource]:
        """What can be ended without losing data or a model: what serves, and what trains."""
        return [one for one in self.billing if one.kind not in KEPT_KINDS]

    @property
    def sentence(self) -> str:
        """Say in a sentence or two what it comes to."""
        unseen = ", ".join(sorted({one.kind for one in self.resources if one.status == UNKNOWN}))
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
                f"{one.since:%Y-%m-%d %H:%M} UTC" if one.since else "not known",
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
        return f'Running costs of run "{self.run}", {self.at:%H:%M:%S} UTC'

    def _amount(self, resource: Resource) -> str:
        if not self.target_bills:
            return "nothing"
        amount = self.so_far(resource)
        return NO_PRICE if amount is None else f"about {format_dollars(amount)}"


class RunningCosts:
    """What bills of a run, with a button for each thing that can be ended without loss.

    The last line of a cell shows it: with its buttons where a person runs the notebook,
    and as plain HTML and text always. What is asked of AWS is asked when it is made, when
    something was ended, and by its button "Look again".

    Args:
        run: Whose things.
        interactive: Whether to show widgets; None: only where a person runs the cells.

    Attributes:
        costs: What AWS told last.
        endings: ARN -> the button that ends it; empty in a headless run.
        box: The widgets; None there.

    Raises:
        CredentialsError: the login has run out.
    """

    def __init__(self, run: Run, *, interactive: bool | None = None) -> None:
        self._run = run
        self.endings: dict[str, ConfirmButton] = {}
        shown = is_interactive() if interactive is None else interactive
        self.box: Any = self._build() if shown else None
        self.costs = self.refresh()

    def refresh(self) -> Costs:
        """Ask AWS what bills.

        Raises:
            CredentialsError: the login has run out.
        """
        run = self._run
        bills, resources = run.connection.bills, list_resources(run)
        self.costs = Costs(run.record.run, bills, resources, utc_now())
        if self.box is not None:
            self._picture.value = self.costs.to_html()
            self.endings = {
                one.arn: ConfirmButton(*_words(one), partial(self._end, one))
                for one in self.costs.endable
            }
            self._buttons.children = [ending.box for ending in self.endings.values()]
        return self.costs

    def __repr__(self) -> str:
        return str(self.costs)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return build_bundle(str(self.costs), self.costs.to_html(), self.box)

    def _build(self) -> Any:
        self.button = build_button(REFRESH, "Ask AWS again what bills", self._look_again)
        self.message, self._picture, self._buttons = widgets.HTML(), widgets.HTML(), widgets.VBox()
        return widgets.VBox([self._picture, self._buttons, self.message, self.button])

    def _look_again(self) -> None:
        try:
            self.refresh()
            said = ""
        except HaikuftError as error:
            said = f"⚠ {error}"
        self.message.value = build_status(said)

    def _end(self, resource: Resource) -> str:
        delete_resource(self._run, resource)
        self.refresh()
        said = f"{resource.kind} {resource.name} has ended."
        self.message.value = build_status(said)  # its own button went with it
        return said


def _words(resource: Resource) -> tuple[str, str, str, str]:
    """Label, question, yes and no of the button that ends a thing."""
    name = f"{resource.kind} {resource.name}"
    if resource.kind == JOB:
        return f"Stop {name} …", f"Stop {name}? {LOSS}", "Yes, stop it", NO
    question = (
        f"Delete {name}? It stops billing and stops answering. The custom model stays, and "
        "notebook 5 serves it again."
    )
    return f"End {name} …", question, "Yes, delete it", NO
