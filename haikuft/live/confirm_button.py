"""A confirm button, for what cannot be undone: it asks, then acts, and shows the result."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from haikuft.errors import HaikuftError
from haikuft.html import build_status

BUTTON_LAYOUT = {"width": "auto", "align_self": "flex-start"}  # as wide as its words


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
        self.button = widgets.Button(description=label, tooltip=question, layout=BUTTON_LAYOUT)
        self.yes = widgets.Button(description=yes, tooltip=question, layout=BUTTON_LAYOUT)
        self.no = widgets.Button(description=no, tooltip=no, layout=BUTTON_LAYOUT)
        self.message = widgets.HTML()
        self._question = question
        self._action = action
        self.button.on_click(self._ask)
        self.yes.on_click(self._act)
        self.no.on_click(self._leave)
        self._answers = widgets.HBox([self.no, self.yes])
        self._answers.layout.display = "none"
        self.box = widgets.VBox([self.button, self.message, self._answers])

    def end(self, sentence: str = "") -> None:
        """Hide the buttons: there is nothing more to act on."""
        for one in (self.button, self._answers):
            one.layout.display = "none"
        self._say(sentence)

    def _ask(self, _: Any) -> None:
        self.button.disabled = True
        self._say(self._question)
        self._answers.layout.display = ""
        self.no.focus()  # keyboard users start at the button that changes nothing

    def _leave(self, _: Any) -> None:
        self._close_question()
        self._say("")
        self.button.focus()

    def _act(self, _: Any) -> None:
        self._close_question()
        self.button.disabled = True
        self._say("Working …")
        try:
            self._say(self._action())
        except HaikuftError as error:
            self._say(f"⚠ {error}")
            self.button.disabled = False

    def _close_question(self) -> None:
        self._answers.layout.display = "none"
        self.button.disabled = False

    def _say(self, sentence: str) -> None:
        self.message.value = build_status(sentence)
