"""The playground's boxes and buttons, made only where a person runs the notebook."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from haikuft.dataset.records import prompt_of, record_id, reference_of
from haikuft.errors import HaikuftError
from haikuft.forms.showing import STYLE, build_button, build_grid
from haikuft.html import build_status, escape
from haikuft.live.history import Exchange, describe_figures, describe_reply

if TYPE_CHECKING:
    from haikuft.live.playground import Playground

ASK = "Ask all models"
OWN = "None: a prompt of my own"
PAUSE_SECONDS = 0.05  # between two paintings of a reply that grows
_COLUMN = {"flex": "1 1 18em", "min_width": "14em", "margin": "0 1em 0 0"}
_CHOICE = 70  # letters of a record's prompt in the list to choose from


class PlaygroundForm:
    """A prompt, how it is asked, a button, and a column for each model.

    Asking runs in a thread of its own, so that the kernel stays free.

    Attributes:
        record, prompt, system, temperature, max_tokens: The boxes.
        button: Asks.
        asking: The thread that asks; None before the first question.
        columns: Model's name -> where its reply grows.
        message: What happens, for eyes and screen readers alike.
        reference: The chosen record's answer.
        past: What was asked before, newest first.
        box: All of them.
    """

    def __init__(self, playground: "Playground", max_tokens: int) -> None:
        self._playground = playground
        self.record = widgets.Dropdown(description="Record", options=[(OWN, "")])
        self.prompt = widgets.Textarea(description="Prompt", rows=4)
        self.system = widgets.Textarea(
            description="System prompt (empty: none)", value=playground.system, rows=2
        )
        # A box, not a slider: a slider of ipywidgets has no name for a screen reader.
        self.temperature = widgets.FloatText(
            description="Temperature (0 to 1)", value=0.0, step=0.1
        )
        self.max_tokens = widgets.IntText(description="Longest reply (tokens)", value=max_tokens)
        tooltip = f"Send the prompt to {' and '.join(playground.models)}"
        self.button = build_button(ASK, tooltip, self._ask)
        self.columns = {name: widgets.HTML(layout=_COLUMN) for name in playground.models}
        self.message, self.reference = widgets.HTML(), widgets.HTML()
        self.past = widgets.HTML()
        self.asking: threading.Thread | None = None
        self._painted: dict[str, float] = {}
        self.record.observe(self._choose, names="value")
        for name in self.columns:
            self._paint(name, "", "")
        self.refresh()
        columns = widgets.HBox([*self.columns.values()], layout={"flex_flow": "row wrap"})
        controls = [self.record, self.prompt, self.system, self.temperature, self.max_tokens]
        grid, style = build_grid([one] for one in controls), widgets.HTML(f"<style>{STYLE}</style>")
        parts = [style, grid, self.button, self.message, columns, self.reference, self.past]
        self.box = widgets.VBox(parts)
        self.box.add_class("haikuft")

    def _choose(self, _: Any) -> None:
        """Take over a record's prompt and system prompt, and show its answer."""
        record = self.record.value
        if not record:
            self.reference.value = ""
            return
        own, turns = prompt_of(record)
        self.prompt.value = turns[-1]["content"]
        self.system.value = own or self._playground.system
        before = f" after {len(turns) - 1} earlier turns" if len(turns) > 1 else ""
        self.reference.value = (
            f"<p><b>Reference</b> (the record's own answer{before}) "
            f"{_text(reference_of(record))}</p>"
        )

    def _ask(self) -> None:
        names = ("prompt", "system", "temperature", "max_tokens")
        asked = {name: getattr(self, name).value for name in names}
        asked["record"] = self.record.value or None
        self.button.disabled = True
        self._say("Asking …")
        for name in self.columns:
            self._paint(name, "", "waiting for the first text …")
        self.asking = threading.Thread(target=self._work, args=(asked,), daemon=True)
        self.asking.start()

    def _work(self, asked: dict[str, Any]) -> None:
        try:
            exchange = self._playground.ask(**asked, on_text=self._grow)
        except HaikuftError as error:
            for name in self.columns:
                self._paint(name, "", "")
            self._say(f"⚠ {error}")
        else:
            for name, reply in exchange.replies.items():
                self._paint(name, describe_reply(reply), describe_figures(reply))
            self._say(_summary(exchange))
            self.refresh()
        finally:
            self.button.disabled = False

    def _grow(self, name: str, text: str) -> None:
        now = time.monotonic()
        if now - self._painted.get(name, 0.0) >= PAUSE_SECONDS:
            self._painted[name] = now
            self._paint(name, text, "still writing …")

    def _paint(self, name: str, text: str, figures: str) -> None:
        told = f"{_text(text)}<p><small>{escape(figures)}</small></p>"
        self.columns[name].value = f"<h4>{escape(name)}</h4>{told}"

    def _say(self, sentence: str) -> None:
        self.message.value = build_status(sentence)

    def refresh(self) -> None:
        """Show what was asked so far, and what tuning did to each record; the prompt stays."""
        past, outcomes = "", dict[str, str]()
        try:
            past = _list_past(self._playground.history)
            outcomes = self._playground.outcomes
        except HaikuftError as error:  # the next question can be asked all the same
            past += f"<p>⚠ {escape(str(error))}</p>"
        self.past.value = past
        records = enumerate(self._playground.records)
        options = [(OWN, ""), *((_choice(n, one, outcomes), one) for n, one in records)]
        self.record.unobserve(self._choose, names="value")
        chosen, self.record.options = self.record.value, options
        self.record.value = chosen
        self.record.observe(self._choose, names="value")


def _list_past(history: Sequence[Exchange]) -> str:
    items = "".join(
        f"<details><summary>{escape(one.asked_at[:16].replace('T', ' '))} UTC · "
        f"{escape(_shorten(one.prompt))}</summary>"
        f"{one._repr_html_()}</details>"
        for one in reversed(history)
    )
    return f"<h4>Asked so far: {len(history)}</h4>{items}" if history else ""


def _summary(exchange: Exchange) -> str:
    failed = [name for name, reply in exchange.replies.items() if reply.error is not None]
    if failed:
        return f"⚠ {' and '.join(failed)} did not answer to the end; the reason stands there."
    return f"{' and '.join(exchange.replies)} have answered."


def _text(text: str) -> str:
    style = "white-space:pre-wrap; overflow-wrap:anywhere; line-height:1.4"
    return f'<div style="{style}">{escape(text)}</div>'


def _choice(number: int, record: Any, outcomes: Mapping[str, str]) -> str:
    outcome = outcomes.get(record_id(record), "")
    known = f"{outcome} · " if outcome else ""
    return f"{number + 1}: {known}{_shorten(prompt_of(record)[1][-1]['content'])}"


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CHOICE else f"{line[: _CHOICE - 1].rstrip()}…"
