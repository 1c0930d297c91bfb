"""A ceiling on what replies may cost, while many requests are open. US dollars."""

from collections.abc import Mapping, Sequence
from threading import Condition

from haikuft.dataset.tokens import count_bytes
from haikuft.errors import SettingsError

# Separators between turns are tokens, too: a few a turn; this is an upper bound.
_SEPARATOR_TOKENS = 16


class Budget:
    """A budget for replies; several calls of `ask_many` may share it, in turn or at once.

    The largest possible cost of a question is reserved before it is sent, and replaced by its real
    cost when the reply is there.

    Args:
        max_dollars: The ceiling; 0 for none.

    Raises:
        SettingsError: the ceiling is below zero.
    """

    def __init__(self, max_dollars: float = 0.0) -> None:
        if not 0 <= max_dollars < float("inf"):  # written so that nan is refused too
            raise SettingsError(f"max_dollars = {max_dollars}: give US dollars, 0 for no ceiling.")
        self.max_dollars = max_dollars
        self.spent = 0.0
        self._reserved = 0.0
        self._open = 0
        self._changed = Condition()

    def reserve(self, dollars: float) -> bool:
        """Reserve an amount; False when it could pass the ceiling even with no other request open.

        Waits while open requests may still cost less than what is reserved for them.
        """
        with self._changed:
            while self.max_dollars and self._reach(dollars) > self.max_dollars:
                if not self._open:
                    return False
                self._changed.wait()
            self._reserved += dollars
            self._open += 1
            return True

    def settle(self, reserved: float, spent: float) -> None:
        """Replace a reservation by what the question has cost."""
        with self._changed:
            self._open -= 1
            # With no request open, rounding errors are dropped.
            self._reserved = self._reserved - reserved if self._open else 0.0
            self.spent += spent
            self._changed.notify_all()

    def _reach(self, dollars: float) -> float:
        return self.spent + self._reserved + dollars


def most_input_tokens(system: str | None, messages: Sequence[Mapping[str, str]]) -> int:
    """Bound the tokens of a prompt from above: no token is shorter than a byte."""
    texts = [system or "", *(turn["content"] for turn in messages)]
    return sum(count_bytes(text) + _SEPARATOR_TOKENS for text in texts)
