"""Many learners on one machine: memory and times of one sandbox server with an account for each.

    python tests/benchmarks/many_learners.py                # 1, 8 and 30 learners, at rest
    python tests/benchmarks/many_learners.py --walk 30      # each walks notebooks 1 to 7

At rest each learner has a bucket with an object, a role, and a run that is begun. The figures are
the server's memory when all have begun and after 20 seconds without a request, its time to start
with all that state, and the time in which one learner begins.

With `--walk` each learner has a project of their own, the same run name and data set, and an
account of their own; at most four walk at the same time. Then it is checked that all have finished,
that each account holds one learner's resources, all of which are that learner's, and that
`haikuft clean-up --class` deletes all of it. Ends with 1 if not. Not collected by pytest.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from usage import parse

import haikuft.sandbox
from haikuft import aws, iam, s3
from haikuft.aws.ownership import CLASS_TAG
from haikuft.runs.record_file import read_record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "trials"))
from project_copy import copy_project

REGION, RUN, CLASS = "us-west-2", "first", "0a1b2c3d"
TAGS = {"haikuft:run": RUN, "haikuft:owner": "0" * 16, CLASS_TAG: CLASS}
REST_SECONDS = 20.0  # after 15 without a request the server gives memory back
LIMIT_MB = 400.0  # of the server with 30 learners at rest


def account_of(learner: int) -> str:
    """Give a learner's account: twelve digits, which are the access key as well."""
    return f"{learner:012d}"


def memory_mb(process: psutil.Process) -> float:
    """Measure the memory of a process and all below it: unique and shared pages, in MB."""
    pages = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            pages += one.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return pages / 1e6


def begin(learner: int, state: Path) -> float:
    """Make what a learner has after notebook 2, and return the seconds it took."""
    began = time.perf_counter()
    os.environ["HAIKUFT_SANDBOX_ACCESS_KEY"] = account_of(learner)
    connection = aws.connect(region=REGION, state=state)
    name = s3.default_bucket_name(RUN, account_id=connection.account_id, region=REGION)
    s3.ensure_bucket(connection.client("s3"), name, region=REGION, tags=TAGS)
    iam.ensure_role(
        connection.client("iam"),
        iam.default_role_name(RUN),
        trust_policy=iam.build_trust_policy(connection.account_id, REGION),
        role_policy=iam.build_role_policy(name, region=REGION, account_id=connection.account_id),
        tags=TAGS,
    )
    connection.client("s3").put_object(Bucket=name, Key=s3.TRAINING_KEY, Body=bytes(200_000))
    return time.perf_counter() - began


def rest(count: int) -> bool:
    """Measure a server with so many learners at rest; return whether it is within the limit."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        server = haikuft.sandbox.start(state, settings={"stage_seconds": 0})
        seconds = [begin(learner, state) for learner in range(1, count + 1)]
        full = memory_mb(psutil.Process(server.pid))
        time.sleep(REST_SECONDS)
        idle = memory_mb(psutil.Process(server.pid))
        haikuft.sandbox.stop(state)
        again = time.perf_counter()
        haikuft.sandbox.start(state)
        again = time.perf_counter() - again
        haikuft.sandbox.stop(state)
    print(
        f"{count} learners: server {full:.0f} MB when all have begun, {idle:.0f} MB at rest; "
        f"starts again in {again:.1f} s; one learner begins in {median(seconds):.2f} s (median)",
        flush=True,
    )
    return idle <= LIMIT_MB


@dataclass(frozen=True, slots=True)
class Walk:
    """How a learner's walk went.

    Attributes:
        status: the exit status of `haikuft run`.
        seconds: how long it took.
        peak_mb: the most memory of it and its kernels.
    """

    learner: int
    status: int
    seconds: float
    peak_mb: float


def run_haikuft(root: Path, state: Path, learner: int | None, *words: str, typed: str = "") -> Any:
    """Start a command of haikuft in a project, as a learner or, for None, as the teacher."""
    environment = {**os.environ, "HAIKUFT_HOME": str(root), "HAIKUFT_SANDBOX_STATE": str(state)}
    environment.pop("HAIKUFT_SANDBOX_ACCESS_KEY", None)
    if learner is not None:
        environment["HAIKUFT_SANDBOX_ACCESS_KEY"] = account_of(learner)
    with (root / "log").open("ab") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("haikuft")), *words],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        assert process.stdin is not None
        process.stdin.write(typed.encode())
        process.stdin.close()
    return process


def walk(learner: int, folder: Path, state: Path) -> Walk:
    """Let a learner walk notebooks 1 to 7 in a project of their own."""
    began, peak = time.perf_counter(), 0.0
    root = copy_project(folder / f"learner-{learner}")
    process = run_haikuft(root, state, learner, "run", "--class", CLASS, "--no-clean-up")
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, memory_mb(watched))
        time.sleep(1.0)
    found = Walk(learner, process.returncode, time.perf_counter() - began, peak)
    print(f"  {found}", flush=True)
    return found


def check(walked: Sequence[Walk], folder: Path, state: Path) -> list[str]:
    """Say where a learner did not finish, or met what is another's."""
    faults = [f"learner {one.learner} ended with {one.status}" for one in walked if one.status]
    for one in walked:
        account = account_of(one.learner)
        record = read_record(folder / f"learner-{one.learner}" / "runs" / RUN / "run.json")
        os.environ["HAIKUFT_SANDBOX_ACCESS_KEY"] = account
        connection = aws.connect(region=REGION, state=state)
        bedrock, buckets = connection.client("bedrock"), connection.client("s3").list_buckets()
        throughputs = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
        held = {
            "account": connection.account_id,
            "buckets": [bucket["Name"] for bucket in buckets["Buckets"]],
            "models": [m["modelArn"] for m in bedrock.list_custom_models()["modelSummaries"]],
            "throughputs": [t["provisionedModelArn"] for t in throughputs],
        }
        wanted = {
            "account": record.account_id if account in record.custom_model_arn else "",
            "buckets": [record.bucket],
            "models": [record.custom_model_arn],
            "throughputs": [record.throughput_arn],
        }
        if held != wanted:
            faults.append(f"learner {one.learner} holds {held}, and the record says {wanted}")
    return faults


def walk_all(count: int, at_once: int) -> bool:
    """Let so many learners walk; return whether all went well, and nobody met another's things."""
    with tempfile.TemporaryDirectory() as name:
        folder, state = Path(name), Path(name, "state")
        settings = {"stage_seconds": 0, "idle_seconds": 7200}
        server = psutil.Process(haikuft.sandbox.start(state, settings=settings).pid)
        done, samples = threading.Event(), [memory_mb(server)]

        def sample() -> None:
            while not done.wait(2.0):
                samples.append(memory_mb(server))

        sampler = threading.Thread(target=sample)
        sampler.start()
        began = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            walked = list(
                pool.map(lambda learner: walk(learner, folder, state), range(1, count + 1))
            )
        seconds = time.perf_counter() - began
        done.set()
        sampler.join()
        faults = check(walked, folder, state)
        teacher = copy_project(folder / "teacher")
        words = (["class", "show", CLASS], ["clean-up", "--class", CLASS])
        for one in words:
            process = run_haikuft(teacher, state, None, *one, typed=f"{CLASS}\n")
            if process.wait():
                faults.append(f"haikuft {' '.join(one)} ended with {process.returncode}")
        print((teacher / "log").read_text(), flush=True)
        for one in walked:
            os.environ["HAIKUFT_SANDBOX_ACCESS_KEY"] = account_of(one.learner)
            connection = aws.connect(region=REGION, state=state)
            if connection.client("s3").list_buckets()["Buckets"]:
                faults.append(f"learner {one.learner} has a bucket left")
        time.sleep(REST_SECONDS)
        idle = memory_mb(server)
        haikuft.sandbox.stop(state)
    times = [one.seconds for one in walked]
    print(
        f"{count} learners, {at_once} at once: {seconds / 60:.1f} min in all; a walk took "
        f"{median(times):.0f} s (median), {max(times):.0f} s at most, and "
        f"{max(one.peak_mb for one in walked):.0f} MB at most. Server: {samples[0]:.0f} MB before, "
        f"{max(samples):.0f} MB at most with its trainings, {idle:.0f} MB at rest."
    )
    print("\n".join(faults) or "All finished; nobody met another's resources; all was deleted.")
    return not faults


def main() -> int:
    """Measure; return 0, or 1 where something wanted is missed."""
    walk = {"type": int, "default": 0, "metavar": "N", "help": "so many learners walk"}
    at_once = {"type": int, "default": 4, "metavar": "N", "help": "(4)"}
    options = parse(__doc__, **{"--walk": walk, "--at-once": at_once})
    if options.walk:
        return int(not walk_all(options.walk, options.at_once))
    return int(not all(list(map(rest, (1, 8, 30)))))


if __name__ == "__main__":
    sys.exit(main())
