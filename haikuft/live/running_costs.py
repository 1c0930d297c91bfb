"""The banner of notebooks 5 to 7: what bills now, and the button that ends it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from haikuft.errors import HaikuftError
from haikuft.html import build_status
from haikuft.inventory import list_resources
from haikuft.inventory.deletion import delete_resource
from haikuft.inventory.resources import Resource
from haikuft.live.costs import Costs, weigh
from haikuft.live.interactive import build_bundle, is_interactive
from haikuft.live.monitor import LOSS, utc_now
from haikuft.runs.lookup import JOB
from haikuft.runs.run_record import Run

REFRESH = "Look again"
NO = "No, leave it"


def show_running_costs(
    run: Run, *, interactive: bool | None = None, now: Callable[[], datetime] = utc_now
) -> "RunningCosts":
    """Ask AWS what bills of a run, and make the banner that says so.

    Args:
        run: Whose things.
        interactive: Whether to show widgets; None: only where a person runs the cells.
        now: The time, aware, UTC.

    Raises:
        CredentialsError: the login has run out.
    """
    return RunningCosts(
        run, interactive=is_interactive() if interactive is None else interactive, now=now
    )


class RunningCosts:
    """What bills of a run, with a button for each thing that can be ended without loss.

    The last line of a cell shows it: with its buttons where a person runs the notebook,
    and as plain HTML and text always. What is asked of AWS is asked when it is made, when
    something was ended, and by its button "Look again".

    Attributes:
        costs: What AWS told last.
        endings: ARN -> the button that ends it; empty in a headless run.
        box: The widgets; None there.
    """

    def __init__(
        self, run: Run, *, interactive: bool, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._run = run
        self._now = now
        self.costs = self._read()
        self.endings: dict[str, Any] = {}
        self.box: Any = None
        if interactive:
            self._build()

    def refresh(self) -> Costs:
        """Ask AWS again.

        Raises:
            CredentialsError: the login has run out.
        """
        self.costs = self._read()
        if self.box is not None:
            self._fill()
        return self.costs

    def __repr__(self) -> str:
        return str(self.costs)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return build_bundle(str(self.costs), self.costs.to_html(), self.box)

    def _read(self) -> Costs:
        return weigh(
            self._run.record.run,
            list_resources(self._run),
            target_bills=self._run.connection.bills,
            now=self._now(),
        )

    def _build(self) -> None:
        import ipywidgets as widgets  # late: a program without a notebook needs none

        from haikuft.live.confirm_button import BUTTON_LAYOUT

        self.button = widgets.Button(
            description=REFRESH, tooltip="Ask AWS again what bills", layout=BUTTON_LAYOUT
        )
        self.button.on_click(self._look_again)
        self._picture = widgets.HTML()
        self.message = widgets.HTML()
        self._buttons = widgets.VBox()
        self.box = widgets.VBox([self._picture, self._buttons, self.message, self.button])
        self._fill()

    def _fill(self) -> None:
        from haikuft.live.confirm_button import ConfirmButton

        self._picture.value = self.costs.to_html()
        self.endings = {
            one.arn: ConfirmButton(*_words(one), partial(self._end, one))
            for one in self.costs.endable
        }
        self._buttons.children = [ending.box for ending in self.endings.values()]

    def _look_again(self, _: Any) -> None:
        try:
            self.refresh()
            self._say("")
        except HaikuftError as error:
            self._say(f"⚠ {error}")

    def _end(self, resource: Resource) -> str:
        delete_resource(self._run, resource)
        self.refresh()
        said = f"{resource.kind} {resource.name} has ended."
        self._say(said)  # its own button went with it
        return said

    def _say(self, sentence: str) -> None:
        self.message.value = build_status(sentence)


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
