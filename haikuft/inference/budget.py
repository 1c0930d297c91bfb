"""A spending limit for replies that holds while many requests run at once. US dollars."""

from collections.abc import Mapping, Sequence
from threading import Condition

from haikuft.dataset.tokens import count_bytes
from haikuft.errors import SettingsError

# The markers between turns are tokens too: a few for each turn, counted generously.
_TOKENS_BESIDE_A_TEXT = 16


class Budget:
    """A budget for replies. Several calls of `ask_many` may share it, in turn or at once.

    The largest possible cost of a request is reserved before it is sent, and replaced by its real
    cost when the reply has arrived.

    Args:
        max_dollars: The limit; 0 for none.

    Raises:
        SettingsError: the limit is below zero.
    """

    def __init__(self, max_dollars: float = 0.0) -> None:
        if not 0 <= max_dollars < float("inf"):  # written so that nan is refused too
            raise SettingsError(f"max_dollars = {max_dollars}: give US dollars, 0 for no limit.")
        self.max_dollars = max_dollars
        self.spent = 0.0
        self._reserved = 0.0
        self._running = 0
        self._changed = Condition()

    def reserve(self, dollars: float) -> bool:
        """Reserve an amount; False when this request alone could pass the limit.

        Waits while requests that are running may still cost less than was reserved for them.
        """
        with self._changed:
            while 0 < self.max_dollars < self.spent + self._reserved + dollars:
                if not self._running:
                    return False
                self._changed.wait()
            self._reserved += dollars
            self._running += 1
            return True

    def settle(self, reserved: float, spent: float) -> None:
        """Replace the amount reserved for a request by its real cost."""
        with self._changed:
            self._running -= 1
            # With no request running it is exactly 0, so that rounding errors do not add up.
            self._reserved = self._reserved - reserved if self._running else 0.0
            self.spent += spent
            self._changed.notify_all()


def most_input_tokens(system: str | None, messages: Sequence[Mapping[str, str]]) -> int:
    """Return an upper bound on the tokens of a prompt: no token is shorter than a byte."""
    texts = [system or "", *(turn["content"] for turn in messages)]
    return sum(count_bytes(text) + _TOKENS_BESIDE_A_TEXT for text in texts)
