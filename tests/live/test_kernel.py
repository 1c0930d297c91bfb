"""In a real kernel, the stop button is heard while the cell that watches runs."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from haikuft.runs.run_record import Run
from haikuft.series.execution.headless import OwnKernelManager

SECONDS = 60.0
WATCH = """
import json, sys
from haikuft import aws, live
connection = aws.Connection("sandbox", "us-west-2", "123456789012", "", {url!r}, "", False, 0.05,
                            aws.connection._sandbox_session("us-west-2"))
try:
    await live.watch_job(connection, {arn!r})
except Exception as error:
    print("ENDED", type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[Any, Any]]:
    """Start a kernel of this interpreter; give what manages it, and a client that speaks to it."""

    class Manager(KernelManager):
        kernel_spec = OwnKernelManager.kernel_spec

    manager = Manager()
    manager.start_kernel(cwd=str(Path(__file__).parents[2]))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=SECONDS)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


class FrontEnd:
    """Reads what a kernel tells all its front ends, and clicks buttons."""

    def __init__(self, kernel: tuple[Any, Any]) -> None:
        self._manager, self._client = kernel
        self.labels: dict[str, str] = {}  # button's label -> its comm
        self.printed = ""
        self.shown: list[dict[str, Any]] = []
        self.states: list[str] = []  # texts of widgets, as they change

    def run(self, code: str, *, allow_stdin: bool) -> str:
        """Run a cell, without waiting for it; give the message's id."""
        return str(self._client.execute(code, allow_stdin=allow_stdin))

    def read_until(self, done: Callable[[dict[str, Any]], bool]) -> None:
        """Read messages until one will do."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            message = self._client.get_iopub_msg(timeout=SECONDS)
            self._note(message["msg_type"], message["content"])
            if done(message):
                return
        raise AssertionError(f"The kernel never said it. It printed: {self.printed}")

    def click(self, label: str) -> None:
        """Click a button as ipywidgets' front end does."""
        data = {"method": "custom", "content": {"event": "click"}}
        content = {"comm_id": self.labels[label], "data": data}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", content))

    def interrupt(self) -> None:
        """Press the square."""
        self._manager.interrupt_kernel()

    def _note(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            self.printed += content["text"]
        if kind in ("display_data", "update_display_data", "execute_result"):
            self.shown.append(content["data"])
        state = content.get("data", {}).get("state", {}) if kind.startswith("comm_") else {}
        if kind == "comm_open" and state.get("_model_name") == "ButtonModel":
            self.labels[state["description"]] = content["comm_id"]
        self.states.append(str(state.get("value", "")))


def is_idle(cell: str) -> Callable[[dict[str, Any]], bool]:
    """Tell whether a message says that a cell is through."""
    return lambda message: (
        message["parent_header"].get("msg_id") == cell
        and message["content"].get("execution_state") == "idle"
    )


def test_button_when_clicked_while_the_cell_runs_then_the_job_stops_and_the_cell_ends(
    kernel: tuple[Any, Any], new_run: Callable[..., Run], start_job: Callable[..., tuple[Run, str]]
) -> None:
    """One click asks, the second stops; the kernel hears both although its cell waits."""
    run, arn = start_job(new_run(stick_stage="training"))
    bedrock: Any = run.connection.client("bedrock")
    front_end = FrontEnd(kernel)
    cell = front_end.run(WATCH.format(url=run.connection.endpoint, arn=arn), allow_stdin=True)
    front_end.read_until(lambda _: "training" in front_end.printed)

    front_end.click("Stop the job …")
    front_end.read_until(lambda _: "Stop the job for good?" in front_end.states[-1])
    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress"
    front_end.click("Yes, stop the job")
    front_end.read_until(is_idle(cell))

    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopped"
    assert "ENDED JobFailedError" in front_end.printed
    assert "was stopped" in front_end.printed
    assert "application/vnd.jupyter.widget-view+json" in front_end.shown[0]
    assert list(front_end.shown[-1]) == ["text/plain", "text/html"]  # what the notebook keeps


def test_cell_when_interrupted_then_the_job_goes_on_and_the_button_is_still_heard(
    kernel: tuple[Any, Any],
    new_run: Callable[..., Run],
    start_job: Callable[..., tuple[Run, str]],
) -> None:
    """The widgets stay; so does what they can do."""
    run, arn = start_job(new_run(stick_stage="training"))
    bedrock: Any = run.connection.client("bedrock")
    front_end = FrontEnd(kernel)
    code = WATCH.format(url=run.connection.endpoint, arn=arn)
    cell = front_end.run(code, allow_stdin=True)
    front_end.read_until(lambda _: "training" in front_end.printed)

    front_end.interrupt()
    front_end.read_until(is_idle(cell))

    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress"
    assert "the job continues" in front_end.shown[-1]["text/html"]
    assert "ENDED" not in front_end.printed  # it was no error of ours
    front_end.click("Stop the job …")
    front_end.click("Yes, stop the job")
    front_end.read_until(lambda _: "was asked to stop" in front_end.states[-1])
    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] != "InProgress"


def test_cell_when_run_without_a_person_then_it_shows_no_widget(
    kernel: tuple[Any, Any], new_run: Callable[..., Run], start_job: Callable[..., tuple[Run, str]]
) -> None:
    """Papermill and nbconvert say that nobody can be asked; then lines are all there is."""
    run, arn = start_job(new_run())
    front_end = FrontEnd(kernel)

    code = WATCH.format(url=run.connection.endpoint, arn=arn)
    front_end.read_until(is_idle(front_end.run(code, allow_stdin=False)))

    assert "Completed" in front_end.printed
    assert (front_end.shown, front_end.labels) == ([], {})
