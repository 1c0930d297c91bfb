"""How long invoke_model takes: `python tests/benchmarks/standin_latency.py`.

A model of 77 labels, tuned on 10,000 messages in a sandbox of its own, is asked 300 unseen ones
over HTTP with boto3, one after the other. Wanted: under 20 ms at the median. Not collected by
pytest; ends with 1 if it takes longer.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from made_intents import make_split
from standin_figures import SYSTEM, make_record
from usage import parse

from haikuft import aws, iam, s3
from haikuft.sandbox import stop

REGION, MODEL = "us-west-2", "anthropic.claude-3-haiku-20240307-v1:0:200k"
WANTED = 20.0  # milliseconds


def measure(folder: Path) -> float:
    """Tune in a sandbox of its own and ask it; milliseconds at the median."""
    pairs, unseen = make_split(10_000, 300, seed=1)
    state = folder / "sandbox"
    try:
        connection = aws.connect("sandbox", region=REGION, state=state)
        s3_client, bedrock = connection.client("s3"), connection.client("bedrock")
        bucket = "figures-of-the-stand-in"
        s3.ensure_bucket(s3_client, bucket, region=REGION, tags={})
        role = iam.ensure_role(
            connection.client("iam"),
            "AmazonBedrock-figures",
            trust_policy=iam.build_trust_policy(connection.account_id, REGION),
            role_policy=iam.build_role_policy(
                bucket, region=REGION, account_id=connection.account_id
            ),
            tags={},
        )
        path = folder / "train.jsonl"
        path.write_text("".join(json.dumps(make_record(*pair, SYSTEM)) + "\n" for pair in pairs))
        job = bedrock.create_model_customization_job(
            jobName="figures",
            customModelName="figures",
            roleArn=role,
            baseModelIdentifier=MODEL,
            trainingDataConfig={"s3Uri": s3.upload_file(s3_client, path, bucket, s3.TRAINING_KEY)},
            outputDataConfig={"s3Uri": f"s3://{bucket}/output/"},
            hyperParameters={"epochCount": "1"},
        )["jobArn"]
        while (now := bedrock.get_model_customization_job(jobIdentifier=job))[
            "status"
        ] == "InProgress":
            time.sleep(0.5)
        throughput = bedrock.create_provisioned_model_throughput(
            modelUnits=1, provisionedModelName="figures", modelId=now["outputModelArn"]
        )["provisionedModelArn"]
        time.sleep(3)  # the sandbox makes a throughput in one second
        runtime, times = connection.client("bedrock-runtime"), []
        for text, _ in unseen:
            body = {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 40,
                "temperature": 0.0,
                "system": SYSTEM,
                "messages": [{"role": "user", "content": text}],
            }
            began = time.perf_counter()
            runtime.invoke_model(modelId=throughput, body=json.dumps(body))["body"].read()
            times.append(1000 * (time.perf_counter() - began))
        print(f"  fastest {min(times):.1f} ms, nine in ten under {sorted(times)[269]:.1f} ms")
        return median(times)
    finally:
        stop(state)


def main() -> int:
    """Print the figure; 1 if it is missed."""
    with tempfile.TemporaryDirectory() as folder:
        middle = measure(Path(folder))
    print(f"invoke_model: {middle:.1f} ms at the median (wanted: under {WANTED:g})")
    return int(middle >= WANTED)


if __name__ == "__main__":
    parse(__doc__)
    sys.exit(main())
