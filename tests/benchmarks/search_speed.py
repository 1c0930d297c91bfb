"""How long 12 trials take beside one job, on a sandbox with `stage_seconds=0`.

    python tests/benchmarks/search_speed.py [REPEATS]

Trains the default configuration on `support_tickets` as one job, then 12 trials with it: the same
epochs and batch size, 12 learning rates around the default, early stopping of trials off. Prints
elapsed seconds, their ratio, the machine's load before, and the processor seconds of client,
sandbox and trainings together: on two cores that do nothing else, 12 trials take half of theirs.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from usage import parse

import haikuft.sandbox
from haikuft import dataset, iam, s3
from haikuft.runs.run_record import Run, begin_run, save
from haikuft.search.running import find_trials, run_trials
from haikuft.search.trials import Trial, build_trials

ROOT = Path(__file__).resolve().parents[2]
RATES = [f"{0.39 + 0.02 * number:.2f}" for number in range(1, 13)]


def set_up(name: str) -> Run:
    """Do what notebooks 1 and 2 do."""
    run = begin_run(name)
    place = {"account_id": run.record.account_id, "region": run.record.region}
    bucket, role_name = s3.default_bucket_name(name, **place), iam.default_role_name(name)
    client = run.connection.client("s3")
    s3.ensure_bucket(client, bucket, region=run.record.region, tags=run.tags)
    role_arn = iam.ensure_role(
        run.connection.client("iam"),
        role_name,
        trust_policy=iam.build_trust_policy(**place),
        role_policy=iam.build_role_policy(bucket, **place),
        tags=run.tags,
    )
    source = dataset.find_dataset("support_tickets", system_prompt="", root=ROOT)
    records = dataset.read_raw(source.raw, system_prompt=source.system_prompt)
    split = dataset.split_records(records, validation_share=-1.0, test_share=0.2, seed=1)
    files = dataset.write_split(split, run.data)
    uris = [
        s3.upload_file(client, files[kind], bucket, s3.own_key(key, run.resource_name))
        for kind, key in (("training", s3.TRAINING_KEY), ("validation", s3.VALIDATION_KEY))
    ]
    made = {"bucket": bucket, "role_name": role_name, "role_arn": role_arn}
    return save(run, **made, training_uri=uris[0], validation_uri=uris[1])


def measure(run: Run, trials: Sequence[Trial]) -> tuple[float, float]:
    """Run trials; return the elapsed seconds and the processor seconds."""
    server = psutil.Process(haikuft.sandbox.status().pid)
    began, spent = time.monotonic(), time.process_time() + sum(server.cpu_times()[:4])
    ended = run_trials(run, find_trials(run, trials), early_stop=False, tell=lambda line: None)
    assert {one.status for one in ended} == {"Completed"}
    now = time.process_time() + sum(server.cpu_times()[:4])  # those of ended trainings included
    return time.monotonic() - began, now - spent


def main(repeats: int) -> None:
    """Measure each as often as asked, alternating."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HAIKUFT_SANDBOX_STATE": f"{folder}/state", "HAIKUFT_HOME": folder}
        os.chdir(folder)
        haikuft.sandbox.start(settings={"stage_seconds": 0})
        try:
            for number in range(repeats):
                run = set_up(f"bench-{number}")
                default, *_ = build_trials(run, {})
                measure(run, [replace(default, key="0" * 8)])  # what loads late is loaded then
                load = os.getloadavg()[0]
                one = measure(run, [default])
                trials = build_trials(run, {"learning_rate_multiplier": RATES})
                twelve = measure(run, [trial for trial in trials if not trial.is_default])
                print(
                    f"load {load:.1f}: 1 job {one[0]:.2f} s (processors {one[1]:.2f} s), 12 trials "
                    f"{twelve[0]:.2f} s ({twelve[1]:.2f} s), {twelve[0] / one[0]:.2f} times",
                    flush=True,
                )
        finally:
            haikuft.sandbox.stop()


if __name__ == "__main__":
    repeats = {"nargs": "?", "type": int, "default": 3, "metavar": "REPEATS", "help": "(3)"}
    main(parse(__doc__, repeats=repeats).repeats)
