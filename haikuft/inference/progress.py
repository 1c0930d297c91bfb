"""The progress bar of many requests: replies, speed, failures, tokens and cost so far."""

import sys
from contextlib import AbstractContextManager

from tqdm import tqdm

from haikuft.inference.replies import Reply
from haikuft.pricing.amounts import format_precise
from haikuft.pricing.table import TokenPrice

_PAUSE_SECONDS = 0.5  # between two updates; an executed notebook keeps them all


class Progress(AbstractContextManager["Progress"]):
    """A bar in plain text, the same in a notebook, a headless run and a log.

    Args:
        name: What the bar is called.
        total: Replies wanted.
        done: Replies that were there before.
        price: What tokens cost; None when it is not known.
        shown: Whether it is drawn at all.
    """

    def __init__(
        self, name: str, total: int, done: int, price: TokenPrice | None, *, shown: bool
    ) -> None:
        self._price = price
        self._errors = self._input = self._output = 0
        # Standard output, because notebooks show standard error in red.
        self._bar = tqdm(
            desc=name,
            total=total,
            initial=done,
            unit="reply",
            disable=not shown,
            file=sys.stdout,
            mininterval=_PAUSE_SECONDS,
        )

    def count(self, reply: Reply) -> None:
        """Count one more reply."""
        self._errors += reply.error is not None
        self._input += reply.input_tokens
        self._output += reply.output_tokens
        self._bar.set_postfix_str(self._summary(), refresh=False)
        self._bar.update()

    def _summary(self) -> str:
        words = f"errors={self._errors}, tokens={self._input:,} in + {self._output:,} out"
        if self._price is None:
            return words
        return f"{words}, {format_precise(self._price.cost(self._input, self._output))}"

    def __exit__(self, *_: object) -> None:
        self._bar.close()
