"""What all tests share: no way to AWS, and sandboxes to talk to."""

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from fakes import SOON
from hypothesis import HealthCheck, settings

import haikuft.sandbox
from haikuft import aws, customization, iam, s3
from haikuft.base_models import CLAUDE_3_HAIKU, BaseModel
from haikuft.customization.jobs import wait_for_job
from haikuft.dataset.formats import to_training
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run
from haikuft.sandbox import Endpoint, SandboxSettings

ACCOUNT = "123456789012"
MAY_SKIP: frozenset[str] = frozenset()  # tests that may be skipped where HAIKUFT_SKIPS=fail
OWNER = "0123456789abcdef"
REGION = "us-west-2"
BROWSER = "tests/browser/"  # its tests share one browser
LONG = (BROWSER, "tests/notebooks/", "tests/trials/")
LOOPBACK = ("127.0.0.1", "::1", "localhost")

# How long an example takes is no property of what is tested.
settings.register_profile("haikuft", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("haikuft")


@pytest.fixture
def headless() -> Iterator[None]:
    """Draw on no screen, and close every figure afterwards."""
    from matplotlib import pyplot as plt  # late: most tests draw nothing

    before = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def pytest_configure() -> None:
    """Let numeric libraries use one thread a process, and keep the byte code of our modules.

    Processes share the cores here, and many are started: none is to compile the package anew.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail where a test was skipped that is not named above: CI must not pass by skipping."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HAIKUFT_SKIPS") != "fail" or exitstatus or reporter is None:
        return
    skipped = {str(report.nodeid) for report in reporter.stats.get("skipped", [])} - MAY_SKIP
    if skipped:
        reporter.write_line(f"Skipped, and not allowed to be: {', '.join(sorted(skipped))}")
        session.exitstatus = 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give `pytest -n 2` whole modules: a module's tests share a sandbox, some in an order."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return BROWSER if module.startswith(BROWSER) else module

    config.option.loadscopereorder = False  # the order is that of the collection
    return ByModule(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first, so that no process is left with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@cache
def dummy_session() -> boto3.Session:
    """Make the one session of all clients; it keeps AWS's service models, which load slowly."""
    return boto3.Session("testing", "testing")


def make_client(url: str, service: str, region: str = REGION) -> Any:
    """Make a client for a sandbox that reads no profile, no proxy, and asks only once."""
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    return dummy_session().client(service, region, endpoint_url=url, config=config)


@pytest.fixture(scope="session", autouse=True)
def _no_way_to_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take away credentials, profiles, proxies and the user's sandbox; refuse other hosts."""
    connect = socket.socket.connect

    def connect_to_loopback(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise OSError(f"A test wanted to reach {address[0]}; tests stay on this machine.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("HAIKUFT_SANDBOX_STATE", str(tmp_path_factory.mktemp("unnamed-sandbox")))
        patch.setattr(socket.socket, "connect", connect_to_loopback)
        yield
        haikuft.sandbox.stop()


@pytest.fixture(scope="session", autouse=True)
def service_models() -> Iterator[None]:
    """Read AWS's service models once: for each boto3 session that would take 0.3 s a client."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="module")
def sandbox_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty state directory for this module's sandbox."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def sandbox(sandbox_state: Path) -> Iterator[Endpoint]:
    """Run a sandbox in a process of its own, with nothing in it and no waiting."""
    yield haikuft.sandbox.start(sandbox_state, settings={"stage_seconds": 0})
    haikuft.sandbox.stop(sandbox_state)
    assert not haikuft.sandbox.status(sandbox_state).running


@pytest.fixture(scope="module")
def sandbox_clients(sandbox: Endpoint) -> Callable[..., Any]:
    """`sandbox_clients("s3")` is a boto3 client of this module's sandbox."""

    def clients(service: str, region: str = REGION) -> Any:
        return make_client(sandbox.url, service, region)

    return clients


@pytest.fixture
def go_to_project(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """`go_to_project(root)` makes an empty project there and changes to its folder."""

    def go(root: Path) -> Path:
        for name in ("notebooks", "haikuft"):
            (root / name).mkdir(parents=True)
        (root / "pyproject.toml").touch()
        monkeypatch.chdir(root)
        monkeypatch.delenv("HAIKUFT_HOME", raising=False)
        return root

    return go


@dataclass(frozen=True, slots=True)
class LocalSandbox:
    """A sandbox within the test's own process, served by a thread.

    Attributes:
        application: The WSGI application, a `haikuft.sandbox.application.Sandbox`.
        url: Where it is served.
    """

    application: Any
    url: str

    def client(self, service: str, region: str = REGION) -> Any:
        """Make a boto3 client of this sandbox."""
        return make_client(self.url, service, region)


@pytest.fixture
def local_sandbox(tmp_path: Path) -> Iterator[Callable[..., LocalSandbox]]:
    """`local_sandbox(handlers={…}, now=…, role_delay_seconds=3)` serves one on a thread.

    `handlers` answer Bedrock's operations, none by default; `handlers=None` takes the
    sandbox's own. moto's backends are this process's, and are emptied at the end.
    """
    from moto.core.base_backend import BackendDict

    from haikuft.sandbox.application import Sandbox, utc_now
    from haikuft.sandbox.http.server import bind

    servers = []

    def serve(
        handlers: Mapping[str, Any] | None = {}, now: Any = utc_now, **settings: Any
    ) -> LocalSandbox:
        wanted = SandboxSettings(**{"stage_seconds": 0, **settings})
        application = Sandbox(tmp_path, settings=wanted, handlers=handlers, now=now)
        server = bind(application)
        servers.append((application, server))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return LocalSandbox(application, f"http://127.0.0.1:{server.port}")

    yield serve
    for application, server in servers:
        server.shutdown()
        application.close()
    BackendDict.reset()


@pytest.fixture
def new_run(local_sandbox: Callable[..., LocalSandbox], tmp_path: Path) -> Callable[..., Run]:
    """`new_run(stage_seconds=5)` opens a run on an empty sandbox with such settings.

    `new_run(NOVA_MICRO)` opens one that tunes that model, in its own Region.
    """

    def open_run(base_model: BaseModel = CLAUDE_3_HAIKU, **settings: Any) -> Run:
        connection = aws.Connection(
            target="sandbox",
            region=base_model.region,
            account_id=ACCOUNT,
            caller_arn="",
            endpoint=local_sandbox(handlers=None, **settings).url,
            sandbox_state="",
            bills=False,
            poll_seconds=0.02,
            session=aws.connection._sandbox_session(base_model.region),
        )
        record = RunRecord(
            run="first",
            target="sandbox",
            owner=OWNER,
            account_id=ACCOUNT,
            region=base_model.region,
            base_model_id=base_model.id,
        )
        return Run(record, connection, base_model, tmp_path)

    return open_run


@pytest.fixture
def reach_as_aws(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """`reach_as_aws(run)` has `--target aws` reach the sandbox of that run."""

    def reach(run: Run) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", run.connection.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    return reach


@pytest.fixture
def set_up() -> Callable[[Run], Run]:
    """`set_up(run)` does what notebooks 1 and 2 do: bucket, role, two files of short records."""

    def make(run: Run) -> Run:
        region = run.connection.region
        bucket = s3.default_bucket_name("first", account_id=ACCOUNT, region=region)
        client = run.connection.client("s3")
        s3.ensure_bucket(client, bucket, region=region, tags=run.tags)
        role_name = iam.default_role_name("first")
        role_arn = iam.ensure_role(
            run.connection.client("iam"),
            role_name,
            trust_policy=iam.build_trust_policy(ACCOUNT, region),
            role_policy=iam.build_role_policy(bucket, region=region, account_id=ACCOUNT),
            tags=run.tags,
        )
        uris = []
        for key in (s3.TRAINING_KEY, s3.VALIDATION_KEY):
            path = run.data / Path(key).name
            path.write_text(
                "".join(f"{_short_record(key, number, run.base_model)}\n" for number in range(32))
            )
            uris.append(s3.upload_file(client, path, bucket, key))
        names = {"bucket": bucket, "role_name": role_name, "role_arn": role_arn}
        files = {"training_uri": uris[0], "validation_uri": uris[1]}
        return replace(run, record=replace(run.record, **names, **files))

    return make


@pytest.fixture
def tune(set_up: Callable[[Run], Run]) -> Callable[..., Run]:
    """`tune(run)` does what notebooks 1 to 3 do; the record then names job and custom model."""

    def make(run: Run) -> Run:
        run = run if run.record.bucket else set_up(run)
        bedrock = run.connection.client("bedrock")
        plan = customization.plan_job(bedrock, run, {"epochCount": "1"}, new_job=True)
        arn = customization.start_job(bedrock, plan.request)
        job = wait_for_job(bedrock, arn, SOON)
        made = {"job_arn": arn, "custom_model_arn": job.custom_model_arn}
        return replace(run, record=replace(run.record, **{**plan.changes, **made}))

    return make


@pytest.fixture(scope="session")
def trained_states() -> dict[str, tuple[Path, RunRecord]]:
    """Hold what `tuned_run` has trained: base model id -> a state directory and its record."""
    return {}


@pytest.fixture
def tuned_run(
    new_run: Callable[..., Run],
    tune: Callable[[Run], Run],
    trained_states: dict[str, tuple[Path, RunRecord]],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Callable[..., Run]:
    """`tuned_run(NOVA_MICRO)` opens a run after notebook 3, on a sandbox of its own.

    The first test of a base model trains; the others get a copy of the state directory.
    """

    def open_run(base_model: BaseModel = CLAUDE_3_HAIKU) -> Run:
        if base_model.id in trained_states:
            state, record = trained_states[base_model.id]
            shutil.copytree(state, tmp_path, dirs_exist_ok=True)
            return replace(new_run(base_model), record=record)
        run = tune(new_run(base_model))
        state = tmp_path_factory.mktemp("trained") / "state"
        # The training process may still be removing its working directory.
        shutil.copytree(tmp_path, state, ignore=shutil.ignore_patterns(".job-*"))
        trained_states[base_model.id] = state, run.record
        return run

    return open_run


def _short_record(key: str, number: int, base_model: BaseModel) -> str:
    answer = "even" if number % 2 else "odd"
    turns = [("user", f"{key} {number}"), ("assistant", answer)]
    record = {"messages": [{"role": role, "content": text} for role, text in turns]}
    return json.dumps(to_training(record, base_model))
