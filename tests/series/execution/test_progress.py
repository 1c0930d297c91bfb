"""What a headless run shows while it runs."""

import io

from haikuft.series.execution.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def run_through(stream: io.StringIO) -> str:
    """Show two notebooks of two and three cells; return what was written."""
    progress = Progress(["01_a", "02_b"], [2, 3], stream=stream)
    with progress.clock():
        for index, cells in enumerate((2, 3)):
            with progress.notebook(index):
                for position in range(cells):
                    progress.cell(index, position)
    return stream.getvalue()


def test_progress_when_on_a_terminal_then_one_bar_counts_cells_over_all_notebooks() -> None:
    """Notebook, cell and elapsed time stand in one line."""
    shown = run_through(Terminal())

    assert "02_b (2 of 2)" in shown
    assert "cell 3 of 5" in shown  # the second notebook's second cell
    assert shown.rstrip().rpartition("\r")[2].endswith("cell 5 of 5 [00:00]")
    assert shown.count("\n") == 1


def test_progress_when_in_a_log_then_each_notebook_is_one_line() -> None:
    """A log is read, not watched."""
    lines = run_through(io.StringIO()).splitlines()

    assert lines == ["01_a (1 of 2): 0.0 s", "02_b (2 of 2): 0.0 s"]
