"""Account, Region and clients: the one place that knows both targets, AWS and the sandbox.

Everything else takes a client and cannot tell which of the two it talks to.
Sources: boto3's configuration guide; STS API, GetCallerIdentity.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import EndpointConnectionError
from botocore.loaders import Loader

from haikuft import __version__
from haikuft.aws.errors import explaining, refuse_foreign_answers
from haikuft.aws.repeating import PATIENCE_SECONDS, repeat_for_a_while
from haikuft.base_models import DEFAULT
from haikuft.errors import SandboxError, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_service_quotas import ServiceQuotasClient

TARGETS = ("sandbox", "aws")
ACCESS_KEY = "HAIKUFT_SANDBOX_ACCESS_KEY"  # a key that the sandbox's IAM has made, or an account
POLL_SECONDS = {"sandbox": 0.2, "aws": 60.0}
CONNECTIONS = 64  # a client's, so that as many threads can share it
# A reply that takes longer than the usual minute would be given up, asked for and paid for again.
# AWS's guide to Nova goes up to an hour; a network that is lost would be waited for as long.
_OPTIONS = {"bedrock-runtime": {"read_timeout": 600}}
_PATIENCE = {"sandbox": 10.0, "aws": PATIENCE_SECONDS}
_CONNECT_SECONDS = 5.0  # and at first contact, where a wrong Region or proxy is more likely


@dataclass(frozen=True, slots=True)
class Connection:
    """Who we are, where we work, and how to get a client for it.

    Attributes:
        target: "sandbox" or "aws".
        region: AWS Region of every client.
        account_id: twelve digits, as STS tells them.
        caller_arn: the identity that STS sees.
        endpoint: URL in use; "" where it is AWS's own.
        sandbox_state: the sandbox's state directory; "" on AWS.
        bills: True where calls can cost money.
        poll_seconds: a fit pause between two readings of a slow thing's status.
    """

    target: str
    region: str
    account_id: str
    caller_arn: str
    endpoint: str
    sandbox_state: str
    bills: bool
    poll_seconds: float
    session: boto3.Session = field(repr=False, compare=False)
    _clients: dict[tuple[str, float], Any] = field(default_factory=dict, repr=False, compare=False)

    @overload
    def client(
        self, service: Literal["bedrock-runtime"], *, patience_seconds: float | None = None
    ) -> "BedrockRuntimeClient": ...
    @overload
    def client(self, service: Literal["bedrock"]) -> "BedrockClient": ...
    @overload
    def client(self, service: Literal["iam"]) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["service-quotas"]) -> "ServiceQuotasClient": ...
    def client(self, service: str, *, patience_seconds: float | None = None) -> Any:
        """Give a client that repeats what was throttled or lost, and keeps long connections alive.

        Asked for again it is the same one, because making one takes some 20 ms.

        Args:
            service: AWS's name of it, as boto3 takes it.
            patience_seconds: how long a call is repeated; None for the target's own.
        """
        if patience_seconds is None:
            patience_seconds = _PATIENCE[self.target]
        key = service, patience_seconds
        if key not in self._clients:
            sandbox = self.endpoint if self.target == "sandbox" else ""
            client = _make_client(self.session, service, patience_seconds, sandbox)
            if self.sandbox_state:
                _start_where_stopped(client, self.endpoint, self.sandbox_state)
            self._clients[key] = client
        return self._clients[key]

    @property
    def tells_progress(self) -> bool:
        """Whether a job's losses can be had while it trains; AWS gives them at its end."""
        return self.target == "sandbox"

    def connect_others(self) -> list["Connection"]:
        """Connect to the sandbox's other accounts, as each one's administrator; none on AWS."""
        if self.target == "aws" or os.environ.get(ACCESS_KEY):
            return []
        from haikuft.sandbox.process import list_accounts

        state = Path(self.sandbox_state)
        others = [one for one in list_accounts(self.endpoint) if one != self.account_id]
        return [connect(region=self.region, state=state, access_key=one) for one in others]

    def read_progress(self, job_arn: str) -> dict[str, Any]:
        """Read how far a job's training has come; empty where the target tells nothing, as AWS.

        See `haikuft.sandbox.read_progress` for what the sandbox tells.

        Raises:
            SandboxError: the sandbox does not answer.
        """
        if not self.tells_progress:
            return {}
        from haikuft import sandbox

        return sandbox.read_progress(self.endpoint, job_arn.rpartition("/")[2])


def connect(
    target: str = "sandbox",
    *,
    region: str,
    state: Path | None = None,
    access_key: str = "",
) -> Connection:
    """Connect to the sandbox, starting it where needed, or to AWS.

    In the sandbox we are the administrator, unless HAIKUFT_SANDBOX_ACCESS_KEY in the environment
    names an access key that its IAM has made: then that user's or role's policies hold. Twelve
    digits there name an account of the sandbox, whose administrator we are then.

    Args:
        target: "sandbox" or "aws".
        region: AWS Region, such as "us-west-2".
        state: the sandbox's state directory; None takes the usual one.
        access_key: of the sandbox; "" takes that in the environment.

    Raises:
        SettingsError: neither target, or no Region.
        CredentialsError: no credentials, or expired ones.
        SandboxError: the sandbox does not start.
    """
    if target not in TARGETS:
        raise SettingsError(f'target = "{target}": choose "sandbox" or "aws".')
    if not region:
        raise SettingsError('region is empty: name one, such as "us-west-2".')
    endpoint, sandbox_state = "", ""
    with explaining(f"connecting to {target} in {region}"):
        if target == "sandbox":
            from haikuft import sandbox

            server = sandbox.start(state)
            endpoint, sandbox_state = server.url, str(server.state)
            session = _sandbox_session(region, access_key or os.environ.get(ACCESS_KEY, ""))
            sts = _make_client(session, "sts", _CONNECT_SECONDS, endpoint)
        else:
            session = boto3.Session(region_name=region)
            sts = _make_client(session, "sts", _CONNECT_SECONDS)
            endpoint = _own_endpoint(_make_client(session, "bedrock", 0.0).meta.endpoint_url)
        identity = sts.get_caller_identity()
        account_id, caller_arn = identity["Account"], identity["Arn"]
    return Connection(
        target=target,
        region=region,
        account_id=account_id,
        caller_arn=caller_arn,
        endpoint=endpoint,
        sandbox_state=sandbox_state,
        bills=target == "aws",
        poll_seconds=POLL_SECONDS[target],
        session=session,
    )


def _make_client(
    session: boto3.Session, service: str, patience_seconds: float, sandbox: str = ""
) -> Any:
    """Make a client; one for a sandbox, by its URL, reaches nothing else, whatever surrounds it."""
    options: dict[str, Any] = dict(_OPTIONS.get(service, {}))
    place: dict[str, Any] = {}
    if sandbox:
        place = {"endpoint_url": sandbox, "use_ssl": False, "verify": True}
        # Named in code, because a Bedrock API key in the environment wins otherwise.
        options |= {"proxies": {}, "signature_version": "s3v4" if service == "s3" else "v4"}
        options |= {"s3": {"addressing_style": "path"}}
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},  # see `repeat_for_a_while`
        tcp_keepalive=True,  # NAT and interface endpoints cut idle connections after 350 s
        max_pool_connections=CONNECTIONS,
        user_agent_extra=f"haikuft/{__version__}",
        **options,
    )
    client = session.client(service, config=config, **place)  # type: ignore[call-overload]
    refuse_foreign_answers(client)
    repeat_for_a_while(client, patience_seconds)
    return client


def _start_where_stopped(client: Any, endpoint: str, state: str) -> None:
    """Have a call start the sandbox that has stopped since, as it does after an idle hour."""

    def start(caught_exception: Any, **_: Any) -> None:
        if not isinstance(caught_exception, EndpointConnectionError):
            return
        from haikuft import sandbox

        url = sandbox.start(state).url
        if url != endpoint:
            raise SandboxError(
                f"The sandbox had stopped, and is now at {url}: another program has taken the port "
                f"of {endpoint}. Run the notebook's cell with `run_record` again, then this one."
            )

    client.meta.events.register("needs-retry", start)  # comes before the call is repeated


@cache
def _sandbox_session(region: str, access_key: str = "") -> boto3.Session:
    """Make a session that reads no variable of AWS, no profile, no file; its keys are dummies."""
    variables = {
        name: (setting, None, default, convert)
        for name, (setting, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        variables[name] = (None, None, os.devnull, None)
    session = botocore.session.Session(session_vars=variables)
    session.register_component("data_loader", _LOADER)
    return boto3.Session(
        aws_access_key_id=access_key or "sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 - the sandbox checks no signature
        region_name=region,
        botocore_session=session,
    )


class _Loader(Loader):
    """Botocore's loader, which looks for each kind of file in the folders of all 400 services."""

    def list_available_services(self, type_name: str) -> list[str]:
        """List botocore's services, whether they have that kind of file or not."""
        return next(os.walk(self.BUILTIN_DATA_PATH))[1]


_LOADER = _Loader()  # of service models, for all sessions in the sandbox


def load_service_models() -> None:
    """Load what clients in the sandbox are built from, so that forks of this process share it."""
    session = _sandbox_session(DEFAULT.region, "")
    for service in ("sts", "s3", "iam", "bedrock", "bedrock-runtime"):
        _make_client(session, service, 0.0, "http://127.0.0.1:9")


def _own_endpoint(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return "" if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) else url
