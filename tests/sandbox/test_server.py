"""The server process: one for a state directory, found on loopback, ending by itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import haikuft.sandbox
from haikuft.sandbox import Endpoint, SandboxSettings
from haikuft.sandbox.process import REFUSED
from haikuft.sandbox.server import main, stop_when_idle

SERVER = [sys.executable, "-m", "haikuft.sandbox.server", "--state"]


class Watched:
    """A sandbox that has been idle for as long as a test says."""

    def __init__(self, *idle: float) -> None:
        self.settings = SandboxSettings(idle_seconds=60)
        self._idle = iter(idle)
        self.released = 0

    def release_memory(self) -> None:
        """Count the calls."""
        self.released += 1

    def idle_seconds(self) -> float:
        """Return the next of the test's values."""
        return next(self._idle)


def test_stop_when_idle_when_the_time_is_over_then_stops_once() -> None:
    """It looks again and again, and stops at the first look beyond the limit."""
    stops: list[str] = []
    waits: list[float] = []
    stop_when_idle(Watched(0.0, 59.9, 60.0), lambda: stops.append("stop"), waits.append)  # type: ignore[arg-type]
    assert stops == ["stop"]
    assert len(waits) == 3


def test_stop_when_idle_when_requests_pause_then_memory_is_released_once_in_each_pause() -> None:
    """A pause of some seconds is not enough, and a long one is one."""
    watched = Watched(0.0, 14.0, 15.0, 30.0, 0.5, 20.0, 60.0)
    stop_when_idle(watched, lambda: None, lambda seconds: False)
    assert watched.released == 2


def test_stop_when_idle_when_the_server_stops_otherwise_then_ends() -> None:
    """The watch does not outlive what it watches."""
    stops: list[str] = []
    stop_when_idle(Watched(), lambda: stops.append("stop"), lambda seconds: True)
    assert stops == []


def test_server_when_idle_time_is_zero_then_ends_by_itself(tmp_path: Path) -> None:
    """The process ends when it is idle, with exit code 0 and an empty log."""
    command = [*SERVER, str(tmp_path), "--settings", '{"idle_seconds": 0}']
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "endpoint.json").exists()


def test_server_when_its_directory_cannot_be_made_then_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3: the log says all, and no traceback."""
    (tmp_path / "file").touch()
    assert main(["--state", str(tmp_path / "file" / "state")]) == REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"The sandbox cannot use its state directory {tmp_path / 'file'}")
    assert line.endswith("with --state or HAIKUFT_SANDBOX_STATE.")


def test_server_when_another_has_the_state_then_leaves_it_alone(
    sandbox: Endpoint, sandbox_state: Path
) -> None:
    """One state directory has one server, however a second one is started."""
    done = subprocess.run([*SERVER, str(sandbox_state)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Another sandbox has the state" in done.stderr
    assert haikuft.sandbox.status(sandbox_state).pid == sandbox.pid


def test_server_when_asked_by_boto3_then_serves_each_service_on_one_port(
    sandbox_clients: Callable[..., Any],
) -> None:
    """One address for everything, in any Region."""
    assert sandbox_clients("sts").get_caller_identity()["Account"] == "123456789012"
    assert sandbox_clients("s3").list_buckets()["Buckets"] == []
    assert sandbox_clients("iam").list_roles()["Roles"] == []
    assert sandbox_clients("kms").list_keys()["Keys"] == []
    quotas = sandbox_clients("service-quotas").list_service_quotas(ServiceCode="bedrock")["Quotas"]
    assert "L-BE77399C" in [quota["QuotaCode"] for quota in quotas]
    models = sandbox_clients("bedrock").list_foundation_models()["modelSummaries"]
    assert "anthropic.claude-3-haiku-20240307-v1:0:200k" in [m["modelId"] for m in models]
    runtime = sandbox_clients("bedrock-runtime")
    with pytest.raises(runtime.exceptions.ClientError, match="nobody"):
        runtime.invoke_model(modelId="nobody", body=b"{}")
