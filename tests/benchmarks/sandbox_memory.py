"""The sandbox's memory after use: `python tests/benchmarks/sandbox_memory.py [RUNS]`.

Each run of 10,000 records uploads them, trains on them, and asks the model; after the last call the
script waits 30 s. Wanted: at most 150 MB resident, however many runs, and a next reply that takes
at most 1.2 times that of a new server. Linux only; not collected by pytest; ends with 1 if missed.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from made_intents import make_split
from standin_figures import SYSTEM, make_record, say

from haikuft import aws, iam, s3
from haikuft.sandbox import stop

REGION, MODEL = "us-west-2", "anthropic.claude-3-haiku-20240307-v1:0:200k"


def resident_mb(state: Path) -> float:
    """Read the resident memory of the sandbox's server."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"haikuft.sandbox.server" in command and str(state).encode() in command:
                return int((process / "statm").read_text().split()[1]) * 4096 / 1e6
        except OSError:  # it has ended
            continue
    raise SystemExit("the sandbox's server has ended")


def tune(connection: Any, folder: Path, number: int) -> str:
    """Upload, tune and provision; the throughput's ARN."""
    s3_client, bedrock = connection.client("s3"), connection.client("bedrock")
    bucket, account, name = "memory-of-the-sandbox", connection.account_id, f"memory-{number}"
    s3.ensure_bucket(s3_client, bucket, region=REGION, tags={})
    role = iam.ensure_role(
        connection.client("iam"),
        "AmazonBedrock-memory",
        trust_policy=iam.build_trust_policy(account, REGION),
        role_policy=iam.build_role_policy(bucket, region=REGION, account_id=account),
        tags={},
    )
    path = folder / "train.jsonl"
    pairs, _ = make_split(10_000, 0, seed=number)
    path.write_text("".join(json.dumps(make_record(*pair)) + "\n" for pair in pairs))
    job = bedrock.create_model_customization_job(
        jobName=name,
        customModelName=name,
        roleArn=role,
        baseModelIdentifier=MODEL,
        trainingDataConfig={"s3Uri": s3.upload_file(s3_client, path, bucket, s3.TRAINING_KEY)},
        outputDataConfig={"s3Uri": f"s3://{bucket}/output/"},
        hyperParameters={"epochCount": "1"},
    )["jobArn"]
    while (now := bedrock.get_model_customization_job(jobIdentifier=job))["status"] == "InProgress":
        time.sleep(0.5)
    made = bedrock.create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName=name, modelId=now["outputModelArn"]
    )
    time.sleep(3)  # the sandbox makes a throughput in one second
    return str(made["provisionedModelArn"])


def ask(connection: Any, throughput: str) -> float:
    """Ask once; the seconds that it took."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 40,
        "system": SYSTEM,
        "messages": [{"role": "user", "content": "where is my sim card"}],
    }
    runtime, began = connection.client("bedrock-runtime"), time.perf_counter()
    runtime.invoke_model(modelId=throughput, body=json.dumps(body))["body"].read()
    return time.perf_counter() - began


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if one is missed."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder).resolve() / "sandbox"
        try:
            connection = aws.connect("sandbox", region=REGION, state=state)
            print(f"  at the start: {resident_mb(state):.0f} MB", flush=True)
            for number in range(int(arguments[0]) if arguments else 3):
                throughput = tune(connection, Path(folder), number)
                ask(connection, throughput)
                print(f"  after run {number + 1}: {resident_mb(state):.0f} MB", flush=True)
            time.sleep(30)
            kept = say("resident after 30 s", resident_mb(state), "MB", 150)
            again = ask(connection, throughput)
            stop(state)
            connection = aws.connect("sandbox", region=REGION, state=state)
            share = again / ask(connection, throughput)
            return int(not all([kept, say("next reply to a cold one", share, "times", 1.2)]))
        finally:
            stop(state)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
