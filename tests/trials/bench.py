"""A bench for one trial: a project's folder, a sandbox, a proxy before it, real processes."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import psutil
from botocore.config import Config
from last_lines import Thing, find_untruths
from project_copy import copy_project
from proxy import CUT, Proxy, Reply, open_proxy

import haikuft.sandbox
from haikuft.sandbox import Endpoint

RUN = "mine"
REGION = "us-west-2"
PATIENCE = 240.0  # seconds for a command or a condition; none of the trials needs so many
# What runs a command in a shell would leave SIGINT as it is; a test run may be ignoring it.
_LAUNCH = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from haikuft.cli import main; sys.exit(main(sys.argv[1:]))"
)
_SESSION = boto3.Session("testing", "testing")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit status, negative for a signal, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All it printed."""
        return f"{self.out}\n{self.err}"

    @property
    def named_command(self) -> list[str]:
        """The clean-up command that its last lines name, without the program; empty if none."""
        found = re.findall(r"\S*haikuft (clean-up --run .*)$", self.text, re.MULTILINE)
        return shlex.split(found[-1].rstrip(". ")) if found else []


@dataclass(slots=True)
class Command:
    """A command that runs, and the files that take what it prints."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    root: Path


@dataclass
class Bench:
    """What one trial works with; everything it starts ends with it.

    Attributes:
        root: The project's folder.
        faults: What was not as it must be, in words.
        untruths: What a command's last lines said that is not so.
        others: Things of other people, key -> how they were when the trial began.
        unreadable: Whether something may not be read, so that no command can say that nothing
            bills.
    """

    root: Path
    folder: Path
    endpoint: Endpoint
    proxy: Proxy
    region: str = REGION
    faults: list[str] = field(default_factory=list)
    untruths: list[str] = field(default_factory=list)
    others: dict[str, Thing] = field(default_factory=dict)
    unreadable: bool = False
    commands: list[Command] = field(default_factory=list)
    orphans: list[psutil.Process] = field(default_factory=list)
    told: int = 0

    def start(
        self,
        *arguments: str,
        root: Path | None = None,
        url: str = "",
        stdin: int = subprocess.DEVNULL,
    ) -> Command:
        """Start `haikuft` with these arguments, in the project's folder.

        Args:
            arguments: What stands after `haikuft`.
            root: Another project's folder.
            url: Another endpoint.
            stdin: Its standard input, none unless given.
        """
        where = root or self.root
        number = len(self.commands)
        out, err = self.folder / f"out-{number}", self.folder / f"err-{number}"
        with out.open("wb") as first, err.open("wb") as second:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _LAUNCH, *arguments],
                stdin=stdin,
                stdout=first,
                stderr=second,
                cwd=where,
                env=_surroundings(where, url or self.proxy.url, self.folder),
                start_new_session=True,
            )
        command = Command(process, out, err, where)
        self.commands.append(command)
        return command

    def on_terminal(self, typed: str, *arguments: str) -> Done:
        """Run a command to its end on a terminal, on which this is typed."""
        keyboard, terminal = os.openpty()
        try:
            os.write(keyboard, f"{typed}\n".encode())
            return self.finish(self.start(*arguments, stdin=terminal))
        finally:
            os.close(keyboard)
            os.close(terminal)

    def finish(self, command: Command, *, check: bool = True) -> Done:
        """Wait for a command's end, and hold its last lines against what the sandbox holds."""
        status = command.process.wait(PATIENCE)
        done = Done(status, command.out.read_text("utf-8"), command.err.read_text("utf-8"))
        if check and status >= 0:
            self.told += 1
            self.untruths += find_untruths(done, self.held(), self.others, self.unreadable)
        return done

    def haikuft(self, *arguments: str, root: Path | None = None, check: bool = True) -> Done:
        """Run a command to its end."""
        return self.finish(self.start(*arguments, root=root), check=check)

    def expect(self, holds: bool, words: str) -> None:
        """Note a fault where something does not hold."""
        if not holds:
            self.faults.append(words)

    def expect_done(self, done: Done, words: str) -> None:
        """Note a fault where a command failed, with the end of what it said."""
        said = " ".join(done.err.split())[-300:]
        self.expect(done.status == 0, f"{words} ended with {done.status}: {said}")

    def kill(self, _: Reply | None = None) -> Reply:
        """Kill the last command and its kernels with SIGKILL, as a deed of a strike."""
        running = psutil.Process(self.commands[-1].process.pid)
        for process in [running, *running.children(recursive=True)]:
            _kill(process)
        return CUT

    def kill_run(self, _: Reply | None = None) -> None:
        """Kill the last command alone with SIGKILL; its kernel lives on."""
        running = psutil.Process(self.commands[-1].process.pid)
        self.orphans += running.children(recursive=True)
        _kill(running)

    def interrupt(self, _: Reply | None = None) -> None:
        """Press Ctrl-C: SIGINT to the last command, which is alone in its process group."""
        os.killpg(self.commands[-1].process.pid, signal.SIGINT)

    def interrupt_and_hold(self, _: Reply | None = None) -> Reply:
        """Press Ctrl-C; the struck call comes to nothing, and is held until the command ended."""
        process = self.commands[-1].process
        self.interrupt()
        self.wait_for(lambda: process.poll() is not None, "the interrupted command's end")
        return CUT

    def hold(self, release: Event) -> Callable[[Reply | None], None]:
        """Make a deed that holds a call until it is released."""

        def deed(_: Reply | None) -> None:
            release.wait(PATIENCE)

        return deed

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds.

        Raises:
            TimeoutError: it never did.
        """
        pause, left = Event(), PATIENCE
        while not holds():
            if left <= 0:
                raise TimeoutError(f"{what} did not come")
            pause.wait(0.05)
            left -= 0.05

    def client(self, service: str) -> Any:
        """A client that asks the sandbox itself, past the proxy."""
        config = Config(proxies={}, retries={"total_max_attempts": 2})
        url = self.endpoint.url
        return _SESSION.client(service, self.region, endpoint_url=url, config=config)

    def configure(self, **settings: Any) -> None:
        """Change settings of the sandbox."""
        haikuft.sandbox.configure(self.endpoint, **settings)

    def held(self) -> dict[str, Thing]:
        """Read what the account holds, past the proxy: ARN or name -> thing."""
        found = [*_bedrock_things(self.client("bedrock"), self.region)]
        found += [*_buckets(self.client("s3")), *_roles(self.client("iam"))]
        return {thing.arn: thing for thing in found}

    def ours(self, kind: str) -> list[Thing]:
        """Read what the account holds of one kind and is not another person's."""
        return [t for t in self.held().values() if t.kind == kind and t.arn not in self.others]

    def mark_others(self) -> None:
        """Take all that the account holds at this moment as other people's."""
        self.others |= self.held()

    def record_path(self, run: str = RUN, root: Path | None = None) -> Path:
        """Say where a run's record lies."""
        return (root or self.root) / "runs" / run / "run.json"

    def record(self, run: str = RUN) -> dict[str, Any]:
        """Read a run's record as plain JSON."""
        read: dict[str, Any] = json.loads(self.record_path(run).read_text("utf-8"))
        return read

    def change_record(self, path: Path, **changes: Any) -> None:
        """Write changes into a record."""
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")

    def close(self) -> None:
        """End what the trial started and still runs."""
        for command in self.commands:
            if command.process.poll() is None:
                running = psutil.Process(command.process.pid)
                for process in [*running.children(recursive=True), running]:
                    _kill(process)
                command.process.wait(PATIENCE)
        for orphan in self.orphans:
            _kill(orphan)


@contextmanager
def open_bench(folder: Path, *, region: str = REGION) -> Iterator[Bench]:
    """Open a bench in a folder that may hold a prepared state's `sandbox` and `project`."""
    root, state = folder / "project", folder / "sandbox"
    if not root.exists():
        copy_project(root)
    endpoint = haikuft.sandbox.start(state, settings={"idle_seconds": 600.0})
    try:
        with open_proxy(endpoint.url) as proxy:
            bench = Bench(root, folder, endpoint, proxy, region)
            if bench.record_path().exists():
                bench.change_record(bench.record_path(), endpoint=proxy.url)
            try:
                yield bench
            finally:
                bench.close()
    finally:
        haikuft.sandbox.stop(state)


def _surroundings(root: Path, url: str, folder: Path) -> dict[str, str]:
    """Return an environment with dummy credentials, in which the proxy is all of AWS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return kept | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HAIKUFT_HOME": str(root),
        "HAIKUFT_SANDBOX_STATE": str(folder / "never-started"),
    }


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _bedrock_things(bedrock: Any, region: str) -> Iterator[Thing]:
    def tags(arn: str) -> Any:
        return sorted(
            bedrock.list_tags_for_resource(resourceARN=arn)["tags"], key=lambda tag: tag["key"]
        )

    def thing(kind: str, arn: str, name: str, status: str, bills: bool, detail: Any) -> Thing:
        shown = json.dumps([detail, tags(arn)], default=str, sort_keys=True)
        return Thing(kind, name, arn, status, bills, shown)

    for one in bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]:
        arn, name = one["provisionedModelArn"], one["provisionedModelName"]
        yield thing("throughput", arn, name, one["status"], True, one)
    for one in bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]:
        bills = one["status"] in ("InProgress", "Stopping")
        yield thing("job", one["jobArn"], one["jobName"], one["status"], bills, one)
    for one in bedrock.list_custom_models()["modelSummaries"]:
        yield thing("model", one["modelArn"], one["modelName"], "exists", True, one)
    if region == "us-east-1":  # the Region of the models that are deployed
        for one in bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]:
            arn, name = one["customModelDeploymentArn"], one["customModelDeploymentName"]
            yield thing("deployment", arn, name, one["status"], False, one)


def _buckets(s3: Any) -> Iterator[Thing]:
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        items = s3.list_objects_v2(Bucket=name).get("Contents", [])
        details = [
            [[item["Key"], item["ETag"]] for item in items],
            _told(lambda name=name: s3.get_bucket_tagging(Bucket=name)["TagSet"]),
            _told(lambda name=name: s3.get_bucket_policy(Bucket=name)["Policy"]),
            _told(
                lambda name=name: s3.get_bucket_encryption(Bucket=name)[
                    "ServerSideEncryptionConfiguration"
                ]
            ),
        ]
        yield Thing("bucket", name, name, "exists", bool(items), json.dumps(details))


def _roles(iam: Any) -> Iterator[Thing]:
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        full = iam.get_role(RoleName=name)["Role"]
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        inline = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in policies
        ]
        details = [full["AssumeRolePolicyDocument"], full.get("Tags", []), inline]
        shown = json.dumps(details, default=str, sort_keys=True)
        yield Thing("role", name, role["Arn"], "exists", False, shown)


def _told(ask: Callable[[], Any]) -> Any:
    """Read what a bucket has, or that it has none."""
    try:
        return ask()
    except Exception as error:  # boto3 makes these classes as it goes
        return type(error).__name__
