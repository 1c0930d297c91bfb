"""Turns: how many requests are worked on at once, and in which order.

Python runs one thread at a time, and gives it to whichever asks first, for 5 ms. A request that
waits for files or the database a few times waits each time for all threads that compute, so that
requests to S3 took a hundred times as long beside clients of Bedrock, whose requests never wait.
With turns each request is worked on to its end, in the order in which requests arrive.
"""

import threading
import time
from collections import deque
from collections.abc import Callable


class Turns:
    """`with turns:` waits until it is the thread's turn; the first to wait is the first to go on.

    Args:
        count: How many threads have a turn at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._thread = threading.local()

    def __enter__(self) -> None:
        turn = None
        with self._lock:
            if self._free:
                self._free -= 1
            else:
                turn = threading.Lock()
                turn.acquire()
                self._waiting.append(turn)
        if turn is not None:
            turn.acquire()  # until a thread that ends its turn releases it
        self._thread.has_turn = True

    def __exit__(self, *error: object) -> None:
        self._thread.has_turn = False
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1

    def sleep(self, seconds: float, sleep: Callable[[float], object] = time.sleep) -> None:
        """Sleep without a turn; a thread that has one waits for another afterwards."""
        if not getattr(self._thread, "has_turn", False):
            sleep(seconds)
            return
        self.__exit__()
        try:
            sleep(seconds)
        finally:
            self.__enter__()
