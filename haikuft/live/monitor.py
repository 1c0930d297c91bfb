"""Watch a job from a cell that waits, with a button that stops it.

The cell awaits, so that the kernel handles the button meanwhile: ipykernel 7.4 handles a widget's
messages while an awaiting cell runs, and JupyterLab sends them on a subshell of their own. With an
older kernel, interrupt the cell: the job continues, and the button then takes effect.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from haikuft.aws import Connection
from haikuft.aws.waiting import Waiting
from haikuft.base_models import JobTime
from haikuft.customization import stop_job
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.readings import FINAL, CustomizationJob, describe_job
from haikuft.errors import HaikuftError, SandboxError
from haikuft.live.confirm_button import ConfirmButton
from haikuft.live.interactive import build_bundle, is_interactive
from haikuft.live.job_view import JobView, Progress
from haikuft.metrics.files import find_metrics, read_metrics
from haikuft.s3 import read_text

UPDATE_SECONDS = 0.05  # pause between two updates of what the cell shows, in seconds
STOP = "Stop the job …"
LOSS = (
    "It cannot be resumed and leaves no model; on AWS the tokens it has trained are billed all the "
    "same."
)
YES = "Yes, stop the job"
NO = "No, let it run"
STOPPING = "The job was asked to stop; it is shown as Stopping until it has."
LEFT = "This cell no longer watches the job; the job continues. Run the cell again to watch it."


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


async def watch_job(
    connection: Connection,
    job_arn: str,
    waiting: Waiting | None = None,
    *,
    expected: JobTime | None = None,
    interactive: bool | None = None,
    tell: Callable[[str], None] = print,
) -> CustomizationJob:
    """Wait until a job has completed, and show its progress. Ending the wait does not end the job.

    Each change of its status or stages gives one line. In an interactive notebook, a view above
    the lines shows its stages, its time, its losses as far as the target tells them, and a button
    that stops it. A job that has completed shows the losses of its metric files.

    Example: `job = await live.watch_job(walk.connection, job_arn)`.

    Args:
        connection: Where the job is.
        job_arn: The job.
        waiting: How to wait, but for `sleep` and `on_change`, which are replaced; None waits 24
            hours at most, with the target's own pause.
        expected: How long such a job takes, to warn of one that takes longer; None never warns.
        interactive: Whether the notebook is interactive and shows widgets; None detects it.
        tell: Is given each line.

    Raises:
        JobFailedError: it failed or was stopped; says AWS's reason and how to fix it.
        WaitTimeoutError: the deadline has passed; the job continues.
        CredentialsError: the login has expired; the job continues.
        HaikuftError: no network, or a status this version does not know.
    """
    shown = is_interactive() if interactive is None else interactive
    watch, monitor = _Watch(connection, job_arn, shown), None
    if shown:
        monitor = JobMonitor(watch.stop_job)
        monitor.show(watch.view())
    ended = watch.start(waiting or Waiting(poll_seconds=connection.poll_seconds), expected)
    note = LEFT
    try:
        while not ended.done():
            await asyncio.sleep(UPDATE_SECONDS)
            watch.tell_changes(tell)
            if monitor is not None:
                monitor.update(watch.view())
        note = ""
    finally:
        watch.leave()
        if monitor is not None:
            monitor.end(watch.view(note))
    watch.tell_changes(tell)
    return ended.result()


class JobMonitor:
    """The view of a job and the button that stops it, shown above the lines.

    Args:
        stop: Asks the job to stop; returns a sentence.

    Attributes:
        box: The widgets.
        button: The button, which asks for confirmation.
    """

    def __init__(self, stop: Callable[[], str]) -> None:
        self.button = ConfirmButton(STOP, f"Stop the job for good? {LOSS}", YES, NO, stop)
        self._picture = widgets.HTML()
        self.box = widgets.VBox([self._picture, self.button.box])
        self._handle: Any = None
        self._shown: object = None

    def show(self, view: JobView) -> None:
        """Show the view in the running cell."""
        self._picture.value = view.to_html()
        both = build_bundle(str(view), view.to_html(), self.box)
        self._handle = display(both, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def update(self, view: JobView) -> None:
        """Show a newer view, if something has changed or a second has passed."""
        seen = (view.job, view.progress, view.note, int(view.now.timestamp()))
        if seen != self._shown:
            self._shown = seen
            self._picture.value = view.to_html()

    def end(self, view: JobView) -> None:
        """Show the last view; a job that has ended leaves plain HTML and no button."""
        ended = view.job is not None and view.job.status in FINAL
        if ended:
            self.button.end()
        self._picture.value = view.to_html()
        if self._handle is not None:
            box = None if ended else self.box
            self._handle.update(build_bundle(str(view), view.to_html(), box), raw=True)


@dataclass
class _Watch:
    """A thread that waits for the job, and its latest readings.

    Interrupting a cell does not reach another thread: `leave` ends its wait.
    """

    connection: Connection
    job_arn: str
    shown: bool  # in a view, which shows the job's end, so that no line tells it again
    job: CustomizationJob | None = None
    progress: Progress | None = None
    trouble: str = ""
    changes: deque[str] = field(default_factory=deque)
    _left: bool = False
    _wake: threading.Event = field(default_factory=threading.Event)

    def start(self, waiting: Waiting, expected: JobTime | None) -> "Future[CustomizationJob]":
        """Start waiting in a thread; the result is the completed job or the error."""
        pool = ThreadPoolExecutor(1)
        waiting = replace(waiting, sleep=self._pause, on_change=self._note)
        ended = pool.submit(self._wait, waiting, expected)
        pool.shutdown(wait=False)  # once the wait has ended
        return ended

    def _wait(self, waiting: Waiting, expected: JobTime | None) -> CustomizationJob:
        bedrock, warn = self.connection.client("bedrock"), self.changes.append
        job = wait_for_job(bedrock, self.job_arn, waiting, expected=expected, warn=warn)
        self._read_metrics(job)
        return job

    def leave(self) -> None:
        """Stop waiting; the job continues."""
        self._left = True
        self._wake.set()

    def stop_job(self) -> str:
        """Ask the job to stop, and take the next reading at once."""
        stop_job(self.connection.client("bedrock"), self.job_arn)
        self._wake.set()
        return STOPPING

    def view(self, note: str = "") -> JobView:
        """Return what to show now."""
        said = " ".join(part for part in (self.trouble, note) if part)
        return JobView(self.job, self.progress, utc_now(), self.connection.tells_progress, said)

    def tell_changes(self, tell: Callable[[str], None]) -> None:
        """Tell what has changed since the last call, a line each."""
        while self.changes:
            tell(self.changes.popleft())

    def _note(self, job: CustomizationJob) -> None:
        self.job = job
        if not (self.shown and job.status in FINAL):
            self.changes.append(describe_job(job, utc_now()))

    def _pause(self, seconds: float) -> None:
        try:
            found = Progress.from_answer(self.connection.read_progress(self.job_arn))
            self.progress, self.trouble = found or self.progress, ""
        except SandboxError as error:
            self.trouble = f"The losses cannot be read just now: {error}"
        self._wake.wait(seconds)
        self._wake.clear()
        if self._left:
            raise CancelledError  # ends the thread

    def _read_metrics(self, job: CustomizationJob) -> None:
        s3 = self.connection.client("s3")
        try:
            files = find_metrics(s3, job.output_uri, job.arn)
            uris = filter(None, (files.training_uri, files.validation_uri))
            losses = [read_metrics(read_text(s3, uri), source=uri) for uri in uris]
            self.progress, self.trouble = Progress.from_metrics(*losses), ""
        except HaikuftError as error:
            self.trouble = f"The losses cannot be read: {error}"
