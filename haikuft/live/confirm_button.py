"""A confirm button, for what cannot be undone: it asks, then acts, and shows the result."""

from collections.abc import Callable

import ipywidgets as widgets

from haikuft.errors import HaikuftError
from haikuft.forms.showing import build_button
from haikuft.html import build_status


class ConfirmButton:
    """A button, a question, and two buttons to answer it.

    Args:
        label: What the button says, such as "Stop the job …".
        question: What is asked then: what happens, and what cannot be undone.
        yes: What the button that acts says.
        no: What the button that does not says.
        action: Acts; returns a sentence about the result. Its HaikuftError is shown.

    Attributes:
        box: The widgets.
        button, yes, no: The three buttons.
        message: The question, then the result.
    """

    def __init__(
        self, label: str, question: str, yes: str, no: str, action: Callable[[], str]
    ) -> None:
        self.button = build_button(label, question, self._ask)
        self.yes = build_button(yes, question, self._act)
        self.no = build_button(no, no, self._leave)
        self.message = widgets.HTML()
        self._question = question
        self._action = action
        self._answers = widgets.HBox([self.no, self.yes])
        self._answers.layout.display = "none"
        self.box = widgets.VBox([self.button, self.message, self._answers])

    def end(self) -> None:
        """Hide the buttons: there is nothing more to act on."""
        self.button.layout.display = self._answers.layout.display = "none"
        self.message.value = ""

    def _ask(self) -> None:
        self.button.disabled = True
        self.message.value = build_status(self._question)
        self._answers.layout.display = ""
        self.no.focus()  # keyboard users start at the button that changes nothing

    def _leave(self) -> None:
        self._answers.layout.display = "none"
        self.button.disabled = False
        self.message.value = ""
        self.button.focus()

    def _act(self) -> None:
        self._answers.layout.display = "none"
        self.message.value = build_status("Working …")
        try:
            said = self._action()
        except HaikuftError as error:
            said = f"⚠ {error}"
            self.button.disabled = False
        self.message.value = build_status(said)
