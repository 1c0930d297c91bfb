"""Watch a job from a cell that waits, with a button that stops it.

The cell awaits, so that the kernel hears the button meanwhile: ipykernel 7.4 handles a widget's
messages while an awaiting cell runs, and JupyterLab sends them on a subshell of their own. With an
older kernel, interrupt the cell: the job goes on, and the button is heard then.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from haikuft.aws import Connection
from haikuft.base_models import JobTime
from haikuft.customization import (
    FINAL,
    CustomizationJob,
    describe_job,
    stop_job,
    wait_for_job,
)
from haikuft.errors import SandboxError
from haikuft.live.interactive import build_bundle, is_interactive
from haikuft.live.job_view import JobView, Progress

LOOK_SECONDS = 0.05  # how often the cell looks whether there is something new to show
STOP = "Stop the job …"
QUESTION = (
    "Stop the job for good? It cannot go on afterwards and leaves no model; on AWS the tokens it "
    "has trained are billed all the same."
)
YES = "Yes, stop the job"
NO = "No, let it run"
STOPPING = "The job was asked to stop; it stands below as Stopping until it has."
LEFT = "This cell has ceased to watch; the job goes on. Run the cell again to go on watching."


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


async def watch_job(
    connection: Connection,
    job_arn: str,
    *,
    poll_seconds: float = 0.0,
    deadline_seconds: float = 24 * 3600.0,
    expected: JobTime | None = None,
    resume: str = "",
    interactive: bool | None = None,
    tell: Callable[[str], None] = print,
    now: Callable[[], datetime] = utc_now,
) -> CustomizationJob:
    """Wait until a job has completed, and show how it goes. Leaving the wait leaves the job.

    One line is told for each change of its status or stages. Where a person runs the
    notebook, its stages, its time, its losses as far as the target tells them, and a button that
    stops it stand above the lines, and move.

    Example: `job = await live.watch_job(walk.connection, job_arn)`.

    Args:
        connection: Where the job is.
        job_arn: The job.
        poll_seconds: Pause between two readings; 0 takes the target's own.
        deadline_seconds: How long to wait at most.
        expected: How long such a job takes, to warn of one that is past it; None never warns.
        resume: The command that goes on from here, named in errors.
        interactive: Whether to show widgets; None: only where a person runs the cells.
        tell: Is given each line.
        now: The time, aware, UTC.

    Raises:
        JobFailedError: it failed or was stopped; says AWS's reason and how to fix it.
        WaitTimeoutError: the deadline has passed; the job goes on.
        CredentialsError: the login has run out; the job goes on.
        HaikuftError: no network, or a status this version does not know.
    """
    watch = _Watch(connection, job_arn)
    monitor = None
    if is_interactive() if interactive is None else interactive:
        monitor = JobMonitor(partial(_stop, watch), now=now)
        monitor.show(watch.view(now()))
    waiting = watch.start(
        poll_seconds=poll_seconds or connection.poll_seconds,
        deadline_seconds=deadline_seconds,
        expected=expected,
        resume=resume,
    )
    note = LEFT
    try:
        while not waiting.done():
            await asyncio.sleep(LOOK_SECONDS)
            _tell_changes(watch, tell, now)
            if monitor is not None:
                monitor.update(watch.view(now()))
        note = ""
    finally:
        watch.leave()
        if monitor is not None:
            monitor.end(watch.view(now(), note=note))
    _tell_changes(watch, tell, now)
    return waiting.result()


class JobMonitor:
    """What stands above the lines: the job's view, and the button that stops it.

    Args:
        stop: Asks the job to stop; returns a sentence.
        now: The time, aware, UTC.

    Attributes:
        box: The widgets.
        button: The button, which asks before it stops; its parts are `ConfirmButton`'s.
    """

    def __init__(self, stop: Callable[[], str], *, now: Callable[[], datetime] = utc_now) -> None:
        import ipywidgets as widgets  # late: a program without a notebook needs none

        from haikuft.live.confirm_button import ConfirmButton

        self.button = ConfirmButton(STOP, QUESTION, YES, NO, stop)
        self._picture = widgets.HTML()
        self.box = widgets.VBox([self._picture, self.button.box])
        self._handle: Any = None
        self._shown: object = None

    def show(self, view: JobView) -> None:
        """Show it in the cell that runs."""
        from IPython.display import display

        self._picture.value = view.to_html()
        both = build_bundle(str(view), view.to_html(), self.box)
        self._handle = display(both, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def update(self, view: JobView) -> None:
        """Show a later look, where something has changed or a second has passed."""
        seen = (view.job, view.progress, view.note, int(view.now.timestamp()))
        if seen != self._shown:
            self._shown = seen
            self._picture.value = view.to_html()

    def end(self, view: JobView) -> None:
        """Leave the last look; a job that has ended leaves plain HTML and no button."""
        ended = view.job is not None and view.job.status in FINAL
        if ended:
            self.button.end()
        self._picture.value = view.to_html()
        if self._handle is not None:
            box = None if ended else self.box
            self._handle.update(build_bundle(str(view), view.to_html(), box), raw=True)


@dataclass
class _Watch:
    """A thread that waits for the job, and what it has seen.

    Interrupting a cell does not reach another thread: `leave` ends its wait.
    """

    connection: Connection
    job_arn: str
    job: CustomizationJob | None = None
    progress: Progress | None = None
    trouble: str = ""
    changes: "SimpleQueue[CustomizationJob | str]" = field(default_factory=SimpleQueue)
    _left: bool = False
    _roused: threading.Event = field(default_factory=threading.Event)

    def start(
        self,
        *,
        poll_seconds: float,
        deadline_seconds: float,
        expected: JobTime | None,
        resume: str,
    ) -> "Future[CustomizationJob]":
        """Begin to wait."""
        ended: Future[CustomizationJob] = Future()

        def wait() -> None:
            try:
                found = wait_for_job(
                    self.connection.client("bedrock"),
                    self.job_arn,
                    poll_seconds=poll_seconds,
                    deadline_seconds=deadline_seconds,
                    sleep=self._pause,
                    on_change=self._see,
                    expected=expected,
                    warn=self.changes.put,
                    resume=resume,
                )
            except BaseException as error:  # whoever awaits raises it again
                ended.set_exception(error)
            else:
                ended.set_result(found)

        threading.Thread(target=wait, name="watch-job", daemon=True).start()
        return ended

    def rouse(self) -> None:
        """Let the next reading come at once."""
        self._roused.set()

    def leave(self) -> None:
        """Cease to wait; the job goes on."""
        self._left = True
        self._roused.set()

    def view(self, now: datetime, *, note: str = "") -> JobView:
        """What there is to show now."""
        said = " ".join(part for part in (self.trouble, note) if part)
        return JobView(self.job, self.progress, now, self.connection.tells_progress, said)

    def _see(self, job: CustomizationJob) -> None:
        self.job = job
        self.changes.put(job)

    def _pause(self, seconds: float) -> None:
        try:
            found = Progress.from_answer(self.connection.read_progress(self.job_arn))
            self.progress, self.trouble = found or self.progress, ""
        except SandboxError as error:
            self.trouble = f"The losses cannot be read just now: {error}"
        self._roused.wait(seconds)
        self._roused.clear()
        if self._left:
            raise _LeftError


class _LeftError(Exception):
    """The wait was left."""


def _stop(watch: _Watch) -> str:
    stop_job(watch.connection.client("bedrock"), watch.job_arn)
    watch.rouse()
    return STOPPING


def _tell_changes(watch: _Watch, tell: Callable[[str], None], now: Callable[[], datetime]) -> None:
    while True:
        try:
            job = watch.changes.get_nowait()
        except Empty:
            return
        tell(job if isinstance(job, str) else describe_job(job, now()))
