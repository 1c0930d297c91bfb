"""One bar over the notebooks and cells of a headless run, with the time that has gone by."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

_TICK_SECONDS = 1.0  # how often the clock moves while a cell takes its time
_SHAPE = "{desc} |{bar}| cell {n_fmt} of {total_fmt} [{elapsed}]"


class Progress:
    """Shows where a headless run stands: a bar on a terminal, a line per notebook in a log.

    Args:
        names: The notebooks, in order.
        cells: How many cells each one has.
        stream: Where to show it; the standard error stream unless told otherwise.

    """

    def __init__(
        self, names: Sequence[str], cells: Sequence[int], *, stream: TextIO | None = None
    ) -> None:
        self.stream = stream or sys.stderr
        self.names = tuple(names)
        self.before = [sum(cells[:index]) for index in range(len(cells) + 1)]
        self.terminal = self.stream.isatty()
        size = shutil.get_terminal_size()
        self.bar = tqdm(
            total=sum(cells),
            file=self.stream,
            disable=not self.terminal,
            bar_format=_SHAPE,
            # Where a terminal does not say its size, tqdm would draw nothing.
            ncols=size.columns,
            nrows=size.lines,
        )

    @contextmanager
    def notebook(self, index: int) -> Iterator[None]:
        """Say that a notebook begins, and when it has ended how long it took."""
        began = time.monotonic()
        title = f"{self.names[index]} ({index + 1} of {len(self.names)})"
        self.bar.set_description_str(title)
        self._move(self.before[index])
        yield
        self._move(self.before[index + 1])
        if not self.terminal:
            print(f"{title}: {time.monotonic() - began:.1f} s", file=self.stream, flush=True)

    def cell(self, index: int, position: int) -> None:
        """Say that a cell begins, its position counted from 0 in the notebook with this index."""
        self._move(self.before[index] + position)

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Keep the elapsed time moving, and take the bar away at the end."""
        stopped = threading.Event()

        def tick() -> None:
            while not stopped.wait(_TICK_SECONDS):
                self.bar.refresh()

        ticker = threading.Thread(target=tick, daemon=True)
        if self.terminal:
            ticker.start()
        try:
            yield
        finally:
            stopped.set()
            if self.terminal:
                ticker.join()
            self.bar.close()

    def _move(self, cells: int) -> None:
        self.bar.n = cells
        self.bar.refresh()
