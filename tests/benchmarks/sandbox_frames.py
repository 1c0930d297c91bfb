"""In how many of the package's modules a frame runs while the sandbox answers a request.

    python tests/benchmarks/sandbox_frames.py

Counted with `sys.setprofile`, from the socket on: for a CreateModelCustomizationJob until the job's
metrics are in S3, with its thread and its training process; and for one InvokeModel of the custom
model behind a throughput. Both have been done once before, so that what runs only once in a process
does not count; neither does the code of a module itself, which runs when it is imported.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import boto3
from usage import parse

from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.sandbox.application import Sandbox
from haikuft.sandbox.http.server import bind
from haikuft.sandbox.settings import SandboxSettings

MODULES_FILE = "HAIKUFT_BENCHMARK_MODULES"  # variable: where the training process names its modules
REGION, BUCKET = "us-west-2", "frames-123456789012"
ALLOW = {"Effect": "Allow", "Action": "*"}


def write_policy(statement: dict[str, Any]) -> str:
    """Write a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [ALLOW | statement]})


class Recorder:
    """Collects the modules of the package in which a frame begins."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.active = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note the module of one frame."""
        name = frame.f_globals.get("__name__", "")
        begins = event == "call" and frame.f_code.co_name != "<module>"
        if self.active and begins and name.startswith("haikuft."):
            self.modules.add(name)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Collect in all threads that are started within the block, until it ends."""
        threading.setprofile(self)
        self.active = True
        try:
            yield
        finally:
            self.active = False
            threading.setprofile(None)


def train(workdir: str) -> int:
    """Train as the training process does, and write its modules into a file."""
    from haikuft.sandbox.standin.training import main

    recorder = Recorder()
    recorder.active = True
    sys.setprofile(recorder)
    try:
        return main([workdir])
    finally:
        sys.setprofile(None)
        Path(os.environ[MODULES_FILE]).write_text(json.dumps(sorted(recorder.modules)))


def measure(folder: Path) -> dict[str, set[str]]:
    """Find the modules for either request, on a sandbox within this process."""
    os.environ[MODULES_FILE] = str(folder / "modules.json")
    sandbox = Sandbox(folder, settings=SandboxSettings(stage_seconds=0.0))
    jobs = sandbox.bedrock.runner
    jobs.command = (sys.executable, __file__, "--train")
    server = bind(sandbox)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def client(service: str) -> Any:
        """Make a client with a connection of its own, and so a thread of the server."""
        session = boto3.Session("testing", "testing", region_name=REGION)
        return session.client(service, endpoint_url=f"http://127.0.0.1:{server.port}")

    s3, iam, bedrock = client("s3"), client("iam"), client("bedrock")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    records = [
        [{"role": "user", "content": f"Order {n}?"}, {"role": "assistant", "content": "delivery"}]
        for n in range(32)
    ]
    lines = [json.dumps({"messages": messages}) + "\n" for messages in records]
    s3.put_object(Bucket=BUCKET, Key="train.jsonl", Body="".join(lines).encode())
    trust = {"Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="tuner", AssumeRolePolicyDocument=write_policy(trust))["Role"]
    iam.put_role_policy(
        RoleName="tuner", PolicyName="all", PolicyDocument=write_policy({"Resource": "*"})
    )

    def run_job(name: str) -> None:
        arn = client("bedrock").create_model_customization_job(
            jobName=name,
            customModelName=name,
            roleArn=role["Arn"],
            baseModelIdentifier=CLAUDE_3_HAIKU.id,
            trainingDataConfig={"s3Uri": f"s3://{BUCKET}/train.jsonl"},
            outputDataConfig={"s3Uri": f"s3://{BUCKET}/output/"},
            hyperParameters={"epochCount": "1", "batchSize": "32", "learningRateMultiplier": "1"},
        )["jobArn"]
        jobs.join(arn)

    def invoke() -> None:
        body = {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 5,
            "messages": records[0][:1],
        }
        client("bedrock-runtime").invoke_model(modelId=throughput, body=json.dumps(body))

    run_job("first")
    throughput = bedrock.create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="frames", modelId="first"
    )["provisionedModelArn"]
    invoke()
    job, invocation = Recorder(), Recorder()
    with job.watch():
        run_job("second")
    with invocation.watch():
        invoke()
    assert bedrock.get_custom_model(modelIdentifier="second")["modelStatus"] == "Active"
    server.shutdown()
    sandbox.close()
    trained = set(json.loads((folder / "modules.json").read_text()))
    return {
        "CreateModelCustomizationJob until the CSV": job.modules | trained,
        "InvokeModel of a custom model": invocation.modules,
    }


def main() -> None:
    """Print the counts, each with its modules."""
    with tempfile.TemporaryDirectory() as folder:
        for request, modules in measure(Path(folder).resolve()).items():
            print(f"{request}: {len(modules)} modules")
            print("".join(f"    {name}\n" for name in sorted(modules)), end="")


if __name__ == "__main__":
    hidden = {"help": argparse.SUPPRESS}  # the process that trains is started so
    folder = parse(__doc__, **{"--train": hidden}).train
    sys.exit(train(folder) if folder else main())
