"""AWS's errors in our words: what each means, what helps, and whether it passes by itself."""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.exceptions import ClientError
from fakes import Scripted, Time, refusal

from haikuft import errors, iam, inference, metrics, s3
from haikuft.aws.errors import explain, explaining, is_absent, is_transient, refuse_foreign_answers
from haikuft.customization import get_job, start_job, stop_job
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.models import delete_custom_model, find_custom_model
from haikuft.errors import (
    AccessError,
    ConflictError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    SettingsError,
)
from haikuft.evaluation.jobs import get_evaluation_job
from haikuft.iam.roles import delete_role
from haikuft.package_data import read_toml
from haikuft.serving.lifecycle import start_serving, stop_serving, wait_for_served

JOB = "arn:aws:bedrock:us-west-2:123456789012:model-customization-job/m/abcdefghijkl"
THROUGHPUT = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
DENIED = "User: arn:aws:sts::123456789012:assumed-role/team/session is not authorized to perform: "
PAGE = b"<!DOCTYPE html><html><meta charset=utf-8><body>Blocked by policy<br></body></html>"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("ExpiredTokenException", CredentialsError, "aws sso login"),
        ("ExpiredToken", CredentialsError, "aws sso login"),
        ("UnrecognizedClientException", CredentialsError, "does not know these access keys"),
        ("AccessDenied", AccessError, "administrator"),
        ("AccessDeniedException", AccessError, "administrator"),
        ("ResourceNotFoundException", NotFoundError, "Region"),
        ("NoSuchBucket", NotFoundError, "deleted"),
        ("ConflictException", ConflictError, "still in use"),
        ("BucketAlreadyExists", ConflictError, "taken"),
        ("ServiceQuotaExceededException", AccessError, "Service Quotas"),
        ("ValidationException", SettingsError, "Correct"),
        ("ThrottlingException", HaikuftError, "less at once"),
        ("ModelNotReadyException", HaikuftError, "in some minutes"),
    ],
)
def test_explain_when_aws_answers_a_code_then_says_what_and_how_to_fix(
    code: str, kind: type[HaikuftError], words: str
) -> None:
    """Each kind of refusal becomes one of our errors, with AWS's words in it."""
    error = explain(refusal(code, "AWS's own words."), doing="reading job j")
    assert type(error) is kind
    assert "While reading job j" in str(error)
    assert "AWS's own words." in str(error)
    assert words in str(error)


def test_explain_when_use_case_form_is_missing_then_names_the_form() -> None:
    """Anthropic's form comes as a 404 of its own."""
    error = refusal("ResourceNotFoundException", "FTUFormNotFilled: submit it.")
    assert "use-case form" in str(explain(error, doing="asking"))


def test_explain_when_upload_is_refused_then_finds_the_code_behind_it() -> None:
    """boto3 wraps an upload's error; its code still decides."""
    wrapped = S3UploadFailedError("Failed to upload")
    wrapped.__context__ = refusal("AccessDenied", status=403)
    assert isinstance(explain(wrapped, doing="uploading"), AccessError)


def test_explaining_when_error_is_not_aws_then_it_passes_unchanged() -> None:
    """Our own mistakes are not turned into AWS's."""
    with pytest.raises(ZeroDivisionError), explaining("dividing"):
        _ = 1 / 0


def test_is_transient_when_network_or_service_fails_then_is_true() -> None:
    """Trying again helps against a lost network and AWS's own faults, not against a refusal."""
    lost = botocore_errors.EndpointConnectionError(endpoint_url="https://sts.amazonaws.com")
    assert is_transient(lost)
    assert is_transient(botocore_errors.ReadTimeoutError(endpoint_url="x"))
    assert is_transient(refusal("InternalServerException", status=500))
    assert is_transient(refusal("ThrottlingException", status=429))
    assert is_transient(refusal("ModelTimeoutException", status=408))
    assert not is_transient(refusal("ValidationException"))
    assert not is_transient(botocore_errors.NoCredentialsError())


def test_answers_when_read_then_each_code_without_a_pattern_is_in_one_row() -> None:
    """A code in two such rows would always be explained by the first; each row has its source."""
    table = read_toml("haikuft.aws", "answers.toml")
    codes = [c for row in table["answer"] if "pattern" not in row for c in row["codes"]]
    assert len(codes) == len(set(codes))
    for code in codes:
        assert str(explain(refusal(code), doing="asking")).endswith((".", "!"))
    for row in [*table["answer"], *table["note"]]:
        assert row["source"]
        assert row["remedy"]
        assert getattr(errors, row.get("error", "HaikuftError"))


def test_is_absent_when_refused_then_is_false() -> None:
    """Not being allowed to look never means that there is nothing."""
    assert is_absent(refusal("NoSuchEntity"))
    assert not is_absent(refusal("AccessDenied", status=403))


@pytest.mark.parametrize(
    ("words", "meaning", "who"),
    [
        (
            "bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-2::foundation-model/m "
            "with an explicit deny in a service control policy",
            "service control policy of your organisation refuses",
            r"administers the organisation.*model is the one in us-east-2: an inference profile",
        ),
        (
            "bedrock:Converse on resource: arn:aws:bedrock:::foundation-model/m with an explicit "
            "deny in a service control policy: arn:aws:organizations::1:policy/o/p",
            "service control policy of your organisation refuses",
            "global inference profile",
        ),
        (
            's3:PutObject on resource: "arn:aws:s3:::b/training/train.jsonl" with an explicit '
            "deny in a resource control policy",
            "resource control policy of your organisation refuses",
            "administers the organisation.*kms_key_arn",
        ),
        (
            "iam:CreateRole on resource: arn:aws:iam::123456789012:role/r because no permissions "
            "boundary allows the iam:CreateRole action",
            "permissions boundary of your identity refuses",
            "Whoever set the boundary.*ARN as permissions_boundary",
        ),
        (
            "bedrock:InvokeModel on resource: arn:aws:bedrock:us-west-2::foundation-model/m "
            "because no VPC endpoint policy allows the bedrock:InvokeModel action",
            "policy of the VPC endpoint",
            "Whoever runs the network.*in us-west-2",
        ),
        (
            "s3:GetObject on resource: arn:aws:s3:::b/k because no session policy allows the "
            "s3:GetObject action",
            "session policy",
            "Log in with a role",
        ),
        (
            "s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in a resource-based "
            "policy",
            r"own policy \(resource-based\) refuses",
            "Whoever owns the bucket",
        ),
        (
            "s3:GetObject on resource: arn:aws:s3:::b/k with an explicit deny in an "
            "identity-based policy",
            "denies this explicitly",
            "take out that Deny",
        ),
    ],
)
def test_explain_when_a_policy_denies_that_no_allow_lifts_then_says_which_and_who_can_change_it(
    words: str, meaning: str, who: str
) -> None:
    """The caller's policy, which cannot help here, is not named. Case explicit_deny_mend."""
    code = "AccessDeniedException" if words.startswith("bedrock") else "AccessDenied"
    error = explain(refusal(code, DENIED + words, 403), doing="asking")
    assert type(error) is AccessError
    said = str(error)
    assert "policy that notebook 1 prints for the caller to" not in said
    assert re.search(f"{meaning}.*{who}", said), said


def test_explain_when_no_identity_based_policy_allows_then_names_the_callers_policy() -> None:
    """Here the policy that notebook 1 prints is what is missing."""
    words = (
        f"{DENIED}s3:PutObject on resource: r because no identity-based policy allows the action"
    )
    assert "policy that notebook 1 prints" in str(
        explain(refusal("AccessDenied", words), doing="x")
    )


@pytest.mark.parametrize(
    ("code", "words", "what"),
    [
        ("ValidationException", "Operation not allowed", "holds back the account"),
        (
            "ValidationException",
            "Your account is not authorized to invoke this API operation.",
            "holds back the account",
        ),
        (
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            "no access to this model in this Region",
        ),
        (
            "AccessDeniedException",
            "Model access is denied due to IAM user or service role is not authorized to perform "
            "the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, "
            "aws-marketplace:Subscribe) to enable access to this model.",
            "not subscribed",
        ),
        (
            "AccessDeniedException",
            "Model access is denied due to INVALID_PAYMENT_INSTRUMENT: A valid payment instrument "
            "must be provided. Your AWS Marketplace subscription cannot be completed.",
            "means of payment",
        ),
        ("OptInRequired", "You are not subscribed to this service.", "not signed up"),
        (
            "ResourceNotFoundException",
            "Access denied. This Model is marked by provider as Legacy and you have not been "
            "actively using the model in the last 30 days.",
            "is Legacy",
        ),
        (
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            "end of life",
        ),
        (
            "ResourceNotFoundException",
            "Model use case details have not been submitted for this account.",
            "use-case form",
        ),
    ],
)
def test_explain_when_account_or_model_is_held_back_then_no_value_is_to_be_corrected(
    code: str, words: str, what: str
) -> None:
    """Nothing is absent, wrong or transient; every later request is refused, too.

    Case operation_not_allowed.
    """
    error = refusal(code, words)
    said = explain(error, doing="asking")
    assert type(said) is AccessError
    assert what in str(said)
    assert "Correct the value" not in str(said)
    assert not is_absent(error)
    assert not is_transient(error)


def test_explain_when_a_bucket_was_deleted_a_moment_ago_then_says_that_it_passes() -> None:
    """Case operation_aborted."""
    words = "A conflicting conditional operation is currently in progress. Please try again."
    error = refusal("OperationAborted", words, 409)
    said = explain(error, doing="creating bucket b")
    assert type(said) is ConflictError
    assert "deleted a moment ago" in str(said)
    assert "The name is taken" not in str(said)
    assert is_transient(error)


@pytest.mark.parametrize(
    ("error", "command"),
    [
        (botocore_errors.UnauthorizedSSOTokenError(), "`aws sso login`"),
        (botocore_errors.LoginRefreshRequired(), "`aws login`"),
        (botocore_errors.LoginTokenLoadError(error_msg="no token"), "`aws login`"),
        (botocore_errors.LoginError(), "`aws login`"),
        (
            botocore_errors.MissingDependencyException(msg="botocore[crt] is needed."),
            f'`{sys.executable} -m pip install "botocore[crt]"`',
        ),
    ],
)
def test_wait_when_a_login_ends_then_names_its_command_and_the_one_that_continues(
    error: Exception, command: str
) -> None:
    """The job continues meanwhile. Case aws_login_expired."""
    bedrock: Any = Scripted(error)
    with pytest.raises(CredentialsError) as caught:
        wait_for_job(bedrock, JOB, Time().waiting(resume="haikuft run --from 3"))
    for words in (command, "continues meanwhile", "haikuft run --from 3"):
        assert words in str(caught.value)


def test_explain_when_tls_is_inspected_then_names_ca_bundle_and_does_not_pass() -> None:
    """A wait does not tolerate it as a lost network. Case tls_interception."""
    error = botocore_errors.SSLError(
        endpoint_url="https://sts.us-west-2.amazonaws.com/",
        error="[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
        "certificate in certificate chain",
    )
    assert "AWS_CA_BUNDLE" in str(explain(error, doing="connecting to aws in us-west-2"))
    assert not is_transient(error)


@pytest.fixture(scope="module")
def portal() -> Iterator[Callable[[int], str]]:
    """`portal(403)` is the URL of a server that answers every call with a page and that status."""
    answered: dict[int, ThreadingHTTPServer] = {}

    def serve(status: int) -> str:
        class Portal(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self.send_response(status)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(PAGE)))
                self.end_headers()
                self.wfile.write(PAGE)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the base class's names

            def log_message(self, *_: Any) -> None:
                pass

        if status not in answered:
            answered[status] = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
            threading.Thread(target=answered[status].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{answered[status].server_port}"

    yield serve
    for server in answered.values():
        server.shutdown()
        server.server_close()


def client_of(url: str, service: str, *, ours: bool = True) -> Any:
    """Make a client that asks once; one of ours, as `Connection.client` makes it, or a bare one."""
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    session = boto3.Session("x", "x")
    client = session.client(service, "us-west-2", endpoint_url=url, config=config)  # type: ignore[call-overload]
    if ours:
        refuse_foreign_answers(client)
    return client


def identify(client: Any) -> None:
    """Ask who we are."""
    with explaining("connecting to aws"):
        _ = client.get_caller_identity()["Account"]


def short() -> Any:
    """Give a wait of a second on a clock of its own."""
    return Time().waiting(poll_seconds=0.5, deadline_seconds=5.0)


MESSAGES = [{"role": "user", "content": "Hello"}]
REQUEST = {
    "jobName": "j",
    "customModelName": "j",
    "roleArn": "arn:aws:iam::123456789012:role/r",
} | {
    "baseModelIdentifier": "m",
    "trainingDataConfig": {"s3Uri": "s3://b/t.jsonl"},
    "outputDataConfig": {"s3Uri": "s3://b/output/"},
}
CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "identity": ("sts", identify),
    "bucket": ("s3", lambda c: s3.ensure_bucket(c, "b", region="us-west-2", tags=TAGS)),
    "bucket's tags": ("s3", lambda c: s3.bucket_tags(c, "b")),
    "objects": ("s3", lambda c: s3.list_objects(c, "b")),
    "object": ("s3", lambda c: s3.read_text(c, "s3://b/k")),
    "metrics": ("s3", lambda c: metrics.find_metrics(c, "s3://b/output/", JOB)),
    "bucket's deletion": ("s3", lambda c: s3.delete_bucket(c, "b", tags=TAGS)),
    "role": (
        "iam",
        lambda c: iam.ensure_role(c, "r", trust_policy={}, role_policy={}, tags=TAGS),
    ),
    "role's deletion": ("iam", lambda c: delete_role(c, "r", tags=TAGS)),
    "job's start": ("bedrock", lambda c: start_job(c, REQUEST, short())),
    "job": ("bedrock", lambda c: get_job(c, JOB)),
    "wait for a job": ("bedrock", lambda c: wait_for_job(c, JOB, short())),
    "job's stop": ("bedrock", lambda c: stop_job(c, JOB)),
    "model": ("bedrock", lambda c: find_custom_model(c, "m")),
    "model's deletion": ("bedrock", lambda c: delete_custom_model(c, "m")),
    "throughput's start": (
        "bedrock",
        lambda c: start_serving(c, "provisioned_throughput", "t", model_arn="m"),
    ),
    "wait for a throughput": ("bedrock", lambda c: wait_for_served(c, THROUGHPUT, short())),
    "throughput's deletion": ("bedrock", lambda c: stop_serving(c, THROUGHPUT, short())),
    "evaluation": ("bedrock", lambda c: get_evaluation_job(c, JOB)),
    "reply": ("bedrock-runtime", lambda c: inference.ask(c, "m", MESSAGES)),
    "message": ("bedrock-runtime", lambda c: inference.ask(c, "m", MESSAGES, api="messages")),
    "stream": ("bedrock-runtime", lambda c: list(inference.stream(c, "m", MESSAGES))),
}


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_when_a_page_of_html_answers_then_says_that_it_is_not_aws(
    call: str, status: int, portal: Callable[[int], str]
) -> None:
    """Web proxies and captive portals answer every call, waits and deletions included.

    Nothing seems absent, empty or refused by AWS. Case html_page_for_an_answer.
    """
    service, act = CALLS[call]
    url = portal(status)
    with pytest.raises(HaikuftError) as caught:
        act(client_of(url, service))
    said = str(caught.value)
    assert type(caught.value) is HaikuftError, said
    if service == "s3":
        said = said.replace("status 500", f"status {status}")  # botocore's own change
    for words in (url, f"status {status}", "AWS_ENDPOINT_URL", "proxy"):
        assert words in said, said
    assert "Blocked by policy" not in said
    assert is_transient(caught.value.__cause__)


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "call", ["identity", "wait for a job", "throughput's deletion", "role", "job's start"]
)
def test_a_call_of_a_bare_client_when_a_page_answers_then_is_no_traceback(
    call: str, status: int, portal: Callable[[int], str]
) -> None:
    """A client made by hand reads the page as AWS's; the error is ours all the same."""
    service, act = CALLS[call]
    with pytest.raises(HaikuftError) as caught:
        act(client_of(portal(status), service, ours=False))
    assert "Blocked by policy" not in str(caught.value)


def test_wait_when_a_page_answers_then_says_that_the_job_continues(
    portal: Callable[[int], str],
) -> None:
    """As of a lost network: the portal's login may just have ended."""
    with pytest.raises(HaikuftError, match=r"not AWS.*continues meanwhile; then run this cell"):
        CALLS["wait for a job"][1](client_of(portal(200), "bedrock"))


def test_sandbox_client_when_asked_then_is_not_taken_for_a_page(
    local_sandbox: Callable[..., Any],
) -> None:
    """S3's, IAM's and STS's answers from the sandbox have a request id or are not HTML."""
    for service, operation in (("s3", "list_buckets"), ("iam", "list_roles")):
        client = local_sandbox().client(service)
        refuse_foreign_answers(client)
        getattr(client, operation)()
    with pytest.raises(ClientError):
        client.get_role(RoleName="none")
