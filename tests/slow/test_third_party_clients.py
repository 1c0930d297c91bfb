"""Libraries that nobody here wrote, each installed in an environment of its own, on the sandbox."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from haikuft.sandbox import Endpoint

CLIENTS = Path(__file__).with_name("clients")
PACKAGES = {
    "aioboto3": "aioboto3_client.py",
    "langchain-aws": "langchain_client.py",
    "litellm": "litellm_client.py",
    "strands-agents": "strands_client.py",
}


def ask(sandbox: Endpoint, folder: Path, *command: str | Path) -> list[str]:
    """Run a client that knows the sandbox's endpoint alone; give the lines that it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "empty"),
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_BEDROCK_RUNTIME_ENDPOINT": sandbox.url,  # the one that litellm reads
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else its import asks GitHub for prices
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("package", PACKAGES)
def test_client_when_another_library_asks_then_gets_its_answers(
    sandbox: Endpoint, tmp_path: Path, package: str
) -> None:
    """Each line that the script prints is an answer."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", package], check=True, timeout=600)
    lines = ask(sandbox, tmp_path, python, CLIENTS / PACKAGES[package])
    assert lines
    assert all(line.strip() for line in lines), lines


@pytest.mark.skipif(not shutil.which("npm"), reason="Node.js and npm are not installed")
def test_client_when_the_javascript_sdk_speaks_http_2_then_is_refused_and_http_1_works(
    sandbox: Endpoint, tmp_path: Path
) -> None:
    """The README and `haikuft sandbox status` name the handler that this test uses."""
    packages = ("@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler")
    install = [str(shutil.which("npm")), "install", "--silent", *packages]
    subprocess.run(install, cwd=tmp_path, check=True, timeout=600)
    script = shutil.copy(CLIENTS / "javascript_client.mjs", tmp_path)  # finds packages beside it
    assert ask(sandbox, tmp_path, "node", script) == ["ERR_HTTP2_ERROR", "Where is my parcel?"]
