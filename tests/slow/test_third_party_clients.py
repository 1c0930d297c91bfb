"""Libraries that nobody here wrote, each installed in an environment of its own, on the sandbox."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from haikuft.sandbox import Endpoint

AIOBOTO3 = """
import asyncio
import aioboto3

async def main():
    session = aioboto3.Session(region_name="us-west-2")
    async with session.client("s3") as s3:
        place = {"LocationConstraint": "us-west-2"}
        await s3.create_bucket(Bucket="data", CreateBucketConfiguration=place)
        await s3.put_object(Bucket="data", Key="k", Body=b"text")
        found = await s3.get_object(Bucket="data", Key="k")
        print((await found["Body"].read()).decode())

asyncio.run(main())
"""


@pytest.mark.parametrize(("package", "script"), [("aioboto3", AIOBOTO3)], ids=["aioboto3"])
def test_client_when_another_library_asks_then_gets_its_answers(
    sandbox: Endpoint, tmp_path: Path, package: str, script: str
) -> None:
    """Each line that the script prints is an answer."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", package]
    subprocess.run(install, check=True, timeout=600)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "empty"),
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [python, "-c", script], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert all(line.strip() for line in lines), done.stdout
