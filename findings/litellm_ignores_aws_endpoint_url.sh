#!/usr/bin/env bash
# litellm 1.110.2 sends Bedrock calls to AWS where AWS_ENDPOINT_URL names another endpoint.
#
# The AWS SDKs read AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_BEDROCK_RUNTIME, so a test that sets them keeps
# boto3 on a local server. litellm builds its own HTTP request and reads only AWS_BEDROCK_RUNTIME_ENDPOINT:
# with the SDKs' two variables set, it asks for the address of bedrock-runtime.us-east-1.amazonaws.com,
# and the prompt would leave the machine. Name resolution is answered in this script for loopback alone,
# so nothing is sent.
#
# Seen on 2026-11-29 with litellm 1.110.2 and boto3 1.44.8:
#   boto3, AWS_ENDPOINT_URL: 127.0.0.1
#   litellm, AWS_ENDPOINT_URL: bedrock-runtime.us-east-1.amazonaws.com
#   litellm, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock-runtime.us-east-1.amazonaws.com
#   litellm, AWS_BEDROCK_RUNTIME_ENDPOINT: 127.0.0.1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'litellm==1.110.2' 'boto3==1.44.8' 'botocore==1.44.8'
cat > "$folder/look.py" <<'PYTHON'
import os
import socket

asked_for = []
resolve = socket.getaddrinfo


def resolve_loopback_only(host, *arguments, **options):
    """Write down whose address is wanted; give that of loopback alone."""
    asked_for.append(host.decode() if isinstance(host, bytes) else host)
    if asked_for[-1] != "127.0.0.1":
        raise socket.gaierror("This script resolves 127.0.0.1 alone.")
    return resolve(host, *arguments, **options)


os.environ |= {
    "AWS_ACCESS_KEY_ID": "anyone",
    "AWS_SECRET_ACCESS_KEY": "anything",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import asks GitHub for prices
}
import boto3
import litellm
from botocore.config import Config

MODEL = "amazon.nova-micro-v1:0"
PORT = 9  # nothing listens here, and nothing needs to
litellm.suppress_debug_info = True
socket.getaddrinfo = resolve_loopback_only


def ask_boto3():
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client("bedrock-runtime", "us-east-1", config=config)
    client.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "Hello"}]}])


def ask_litellm():
    asked = [{"role": "user", "content": "Hello"}]
    litellm.completion(f"bedrock/converse/{MODEL}", asked, aws_region_name="us-east-1")


for name, ask, variable in [
    ("boto3", ask_boto3, "AWS_ENDPOINT_URL"),
    ("litellm", ask_litellm, "AWS_ENDPOINT_URL"),
    ("litellm", ask_litellm, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
    ("litellm", ask_litellm, "AWS_BEDROCK_RUNTIME_ENDPOINT"),
]:
    os.environ[variable] = f"http://127.0.0.1:{PORT}"
    asked_for.clear()
    try:
        ask()
    except Exception:  # no connection, as is meant
        pass
    print(f"{name}, {variable}: {' '.join(sorted(set(asked_for)))}")
    del os.environ[variable]
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py 2> /dev/null)
wanted="boto3, AWS_ENDPOINT_URL: 127.0.0.1
litellm, AWS_ENDPOINT_URL: bedrock-runtime.us-east-1.amazonaws.com
litellm, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock-runtime.us-east-1.amazonaws.com
litellm, AWS_BEDROCK_RUNTIME_ENDPOINT: 127.0.0.1"
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
