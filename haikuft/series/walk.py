"""One `haikuft run`: from what was asked for to the last line on the screen."""

import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from haikuft.errors import RecordError, RunFailedError, SettingsError
from haikuft.runs.folders import check_run_name, choose_run, find_root
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record
from haikuft.series import planning
from haikuft.series.planning import CLEAN_UP, EVALUATE, PROVISION, Request, Step

DONE, FAILED, INTERRUPTED = 0, 1, 130  # exit statuses

# Errors that come again with the same command until something is changed.
_LASTING = (
    *("SettingsError", "DataError", "RecordError", "CredentialsError", "AccessError"),
    *("ConflictError", "ChargesRefusedError"),
)
# What `prerequisites.require` says must be run again; from a later notebook it would stop again.
_AGAIN = re.compile(r"Run notebook (\d\d)_")
# What the refusal of a split says would fit; no other parameter is read from an error's text.
_SHARE = re.compile(r"-p (validation_share|test_share) ([\d.]+)")
_FLAGS = ("run", "target", "region", "dataset")  # parameters that have a flag of their own


def walk(request: Request) -> int:
    """Execute the notebooks, tell what came of it, and return the exit status.

    However a run on AWS ends, its last lines say what bills and how to end it.

    Raises:
        SettingsError: what was asked for cannot be; nothing was run.

    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # further threads would only wait for work
    root = find_root()
    notebooks = planning.find_notebooks(root)
    given = request.given
    begins = request.first in (0, notebooks[0].number)
    run = check_run_name(choose_run(given.get("run", ""), given.get("target", ""), new=begins))
    request = replace(request, given={**given, "run": run})
    steps = planning.plan(notebooks, request)
    directory = root / "runs" / run
    if not begins and not directory.exists():
        raise SettingsError(
            f'Run "{run}" was not begun in this project, so it cannot continue at notebook '
            f"{request.first}. Begin it with notebook 1: leave --from out, or name another --run."
        )
    from haikuft.series.checks import check_steps  # late: it loads what reads data

    record = _read(directory)
    check_steps(steps, root=root, base_model_id=record.base_model_id if record else "")
    on_aws = steps[0].value_of("target") == "aws"
    with _signals_as_interrupts():
        try:
            return _walk(request, steps, directory, on_aws=on_aws)
        finally:
            if on_aws:
                from haikuft.series.ending import billing_lines

                sys.stderr.flush()
                where = {name: given.get(name, "") for name in ("region", "base_model_id")}
                command = clean_up_command(request)
                _say(billing_lines(run, command=command, **where))


def resume_command(
    request: Request, steps: Sequence[Step], number: int, done: Collection[str]
) -> str:
    """Write the command that resumes at the notebook with this number.

    Only what the remaining notebooks take is said again, and nothing that is `done`.
    """
    if request.first == request.last == CLEAN_UP and request.clean_up:
        return clean_up_command(request)
    words = [request.program, "run", "--run", request.given["run"]]
    later = [step.notebook for step in steps if step.notebook.number >= number]
    for name, text in request.given.items():
        if name == "run" or name in done or not any(name in n.parameters for n in later):
            continue
        words += [f"--{name}", text] if name in _FLAGS else ["-p", name, text]
    words += ["--from", str(number)]
    words += ["--to", str(request.last)] if request.last else []
    words += {True: ["--clean-up"], False: ["--no-clean-up"], None: []}[request.clean_up]
    words += ["--keep-serving"] if request.keep_serving else []
    return shlex.join([*words, *_state_words(request)])


def clean_up_command(request: Request) -> str:
    """Write the one command that ends everything that bills."""
    words = [request.program, "clean-up", "--run", request.given["run"]]
    if request.given.get("target") == "aws":
        for name in ("target", "region", "base_model_id"):  # needed if the record is lost
            value = request.given.get(name, "")
            words += [f"--{name.replace('_', '-')}", value] if value else []
    return shlex.join([*words, *_state_words(request)])


def _walk(request: Request, steps: Sequence[Step], directory: Path, *, on_aws: bool) -> int:
    from haikuft.series.ending import end_serving, summary_lines  # late: they load what asks AWS

    began = time.monotonic()
    before = made = _read(directory)
    done: list[Step] = []
    notes: list[str] = []
    try:
        for step in planning.execute(steps, directory / "notebooks"):
            done.append(step)
            if step.notebook.number != CLEAN_UP:
                made = _read(directory)
            if step.notebook.number == EVALUATE and on_aws and not request.keep_serving:
                notes.append(end_serving(directory))
    except (RunFailedError, KeyboardInterrupt) as error:
        stopped = steps[len(done)].notebook
        again = stopped.number
        if isinstance(error, RunFailedError):
            print(f"\n{error}", file=sys.stderr)
        else:
            print(f"\nInterrupted in notebook {stopped.name}.", file=sys.stderr)
        if on_aws and stopped.number in (PROVISION, EVALUATE) and not request.keep_serving:
            note = end_serving(directory)
            again = PROVISION if note else again
            _say([note], stream=sys.stderr)
        # A job that was started is found again; asking for a new one twice would pay twice.
        jobs = [one.job_arn if one else "" for one in (before, _read(directory))]
        started = () if jobs[0] == jobs[1] else ("new_job",)
        fitting = dict(_SHARE.findall(str(error)))
        request = replace(request, given={**request.given, **fitting})
        missing = _AGAIN.search(str(error))
        again = min(again, int(missing[1])) if missing else again
        command = resume_command(request, steps, again, started)
        print(f"{_introduce(error)}: {command}", file=sys.stderr)
        return FAILED if isinstance(error, RunFailedError) else INTERRUPTED
    seconds = time.monotonic() - began
    _say([*summary_lines(directory, made, done, seconds=seconds), *notes])
    return DONE


def _introduce(error: BaseException) -> str:
    """Introduce the command that continues: some errors come again until something is changed."""
    lasts = getattr(error.__cause__, "ename", "") in _LASTING
    return "Once that is done, continue with" if lasts else "Continue from there"


def _read(directory: Path) -> RunRecord | None:
    """Read the record where there is one that can be read; the notebooks say what is wrong."""
    try:
        return read_record(directory / FILE_NAME)
    except RecordError:
        return None


def _state_words(request: Request) -> list[str]:
    return ["--state", request.state] if request.state else []


def _say(lines: Sequence[str], stream: TextIO | None = None) -> None:
    for line in lines:
        if line:
            print(line, file=stream or sys.stdout, flush=True)


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Let a closed terminal and a `kill` end the run as Ctrl-C does, with its last lines."""
    can_be_set = threading.current_thread() is threading.main_thread()
    names = [name for name in ("SIGTERM", "SIGHUP") if can_be_set and hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]
    # nohup ignores SIGHUP, and whoever set a handler meant it.
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
