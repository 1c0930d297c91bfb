"""Prepared states: a sandbox and a project's folder as a walk leaves them, made once and copied.

A state is a folder with `sandbox`, the sandbox's state directory, and `project`, the project's
folder with the run in it. Each is made by going on from the one before it.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import REGION, RUN, Bench, open_bench
from calls import GET_JOB

NOVA = "amazon.nova-micro-v1:0:128k"
NOVA_REGION = "us-east-1"
EMPTY, DATA, RUNNING, MODEL, SERVING = "empty", "data", "running", "model", "serving"
NOVA_DATA, NOVA_MODEL = "nova-data", "nova-model"
PAID = ("-p", "allow_charges", "true", "-p", "poll_seconds", "0.1")
TUNE = ("--from", "3", "--to", "3", "-p", "epoch_count", "1", *PAID)
SERVE = ("--from", "5", "--to", "5", *PAID)
ON_AWS = ("--run", RUN, "--target", "aws")
SHARES = ("-p", "validation_share", "0.35")  # of few records, so many must be for validation
_NOVA_WORDS = ("-p", "base_model_id", NOVA)

# State -> the state before it, and the arguments of the `haikuft run` that leads to it.
_STEPS: dict[str, tuple[str, tuple[str, ...]]] = {
    DATA: (EMPTY, ("--to", "2", *SHARES)),
    RUNNING: (DATA, TUNE),
    MODEL: (DATA, TUNE),
    SERVING: (MODEL, SERVE),
    NOVA_DATA: (EMPTY, ("--to", "2", *SHARES, *_NOVA_WORDS)),
    NOVA_MODEL: (NOVA_DATA, TUNE),
}


def region_of(state: str) -> str:
    """Say in which Region the run of a state is."""
    return NOVA_REGION if state.startswith("nova") else REGION


def write_dataset(folder: Path) -> Path:
    """Write a data set of short records, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    things = ("lamp", "chair", "kettle", "radio", "clock", "tent", "bicycle", "mirror")
    lines = []
    for number in range(120):
        thing, late = things[number % len(things)], number % 2
        prompt = f"Order {number}: the {thing} {'is late' if late else 'has a crack'}. Which label?"
        lines.append({"prompt": prompt, "completion": "delivery" if late else "damage"})
    (folder / "raw.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    return folder


def prepare(states: Path, name: str) -> Path:
    """Make a state, and those it goes on from, where they are not there yet.

    Raises:
        RuntimeError: a command that leads to it failed.
    """
    folder = states / name
    if folder.exists():
        return folder
    if name == EMPTY:
        folder.mkdir(parents=True)
        return folder
    before, arguments = _STEPS[name]
    dataset = ("--dataset", str(write_dataset(states / "records"))) if before == EMPTY else ()
    shutil.rmtree(states / f"{name}.part", ignore_errors=True)
    partial = _copy(prepare(states, before), states / f"{name}.part")
    with open_bench(partial, region=region_of(name)) as bench:
        bench.configure(stage_seconds=0.0, model_units_quota=10)
        if name == RUNNING:  # its job stays in this stage, in each copy too
            bench.configure(stick_stage="training")
            bench.proxy.strike(GET_JOB, bench.interrupt, nth=3)
        done = bench.haikuft("run", *ON_AWS, *arguments, *dataset, check=False)
        if done.status != (130 if name == RUNNING else 0):
            raise RuntimeError(f"No state {name}: {done.text}")
    partial.rename(folder)
    return folder


@contextmanager
def open_state(states: Path, name: str, folder: Path) -> Iterator[Bench]:
    """Open a bench with a copy of a prepared state, in a folder that is not there yet."""
    with open_bench(_copy(prepare(states, name), folder), region=region_of(name)) as bench:
        yield bench


def _copy(state: Path, folder: Path) -> Path:
    # Another sandbox may have the port by now, and a new one takes any that is free.
    skipped = shutil.ignore_patterns("endpoint.json", "*.lock", "out-*", "err-*")
    return Path(shutil.copytree(state, folder, ignore=skipped))
