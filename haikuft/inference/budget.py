"""A ceiling on what replies may cost, kept while many questions are under way. US dollars."""

from collections.abc import Mapping, Sequence
from threading import Condition

from haikuft.dataset.tokens import count_bytes
from haikuft.errors import SettingsError

# Marks between the turns are tokens too; a few a turn, taken generously.
_TOKENS_BESIDE_A_TEXT = 16


class Budget:
    """Money for replies; several askings may share it, one after the other or at once.

    A question's largest cost is set aside before it is asked. What it has truly cost takes the
    place of that once the reply is there.

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
        self._set_aside = 0.0
        self._under_way = 0
        self._changed = Condition()

    def reserve(self, dollars: float) -> bool:
        """Set so much aside; False when the ceiling could be passed even by this alone.

        Waits while questions under way may yet turn out cheaper than what is set aside for them.
        """
        with self._changed:
            while self.max_dollars and self._reach(dollars) > self.max_dollars:
                if not self._under_way:
                    return False
                self._changed.wait()
            self._set_aside += dollars
            self._under_way += 1
            return True

    def settle(self, reserved: float, spent: float) -> None:
        """Put what a question has cost in place of what was set aside for it."""
        with self._changed:
            self._under_way -= 1
            # No rounding is carried on from one quiet moment to the next.
            self._set_aside = self._set_aside - reserved if self._under_way else 0.0
            self.spent += spent
            self._changed.notify_all()

    def _reach(self, dollars: float) -> float:
        return self.spent + self._set_aside + dollars


def most_input_tokens(system: str | None, messages: Sequence[Mapping[str, str]]) -> int:
    """Bound the tokens of a prompt from above: no token is shorter than a byte."""
    texts = [system or "", *(turn["content"] for turn in messages)]
    return sum(count_bytes(text) + _TOKENS_BESIDE_A_TEXT for text in texts)
