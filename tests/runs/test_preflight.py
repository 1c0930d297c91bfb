"""The preflight: what stops a run before anything is made, and what it says instead."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import Scripted, refusal

import haikuft.sandbox
from haikuft import aws, s3
from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.errors import CredentialsError, SettingsError
from haikuft.iam import build_trust_policy
from haikuft.runs.preflight import (
    Check,
    Preflight,
    check_access,
    check_api_key,
    check_base_model,
    check_bucket,
    check_quotas,
    check_units,
    run_preflight,
)
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run
from haikuft.sandbox import Endpoint
from haikuft.serving.lifecycle import start_serving

REGION = "us-west-2"
ACTIVE_DAYS = date(2025, 1, 1)
TODAY = date(2026, 11, 21)
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}


def run_with(region: str = REGION, **clients: Any) -> Run:
    """Build a new run of Claude 3 Haiku with these clients; "_" stands for the hyphen."""
    connection: Any = SimpleNamespace(
        region=region, client=lambda service: clients[service.replace("-", "_")]
    )
    owner = TAGS["haikuft:owner"]
    record = RunRecord("first", "sandbox", owner, account_id="123456789012", region=region)
    return Run(record, connection, HAIKU, Path())


def offering(*offers: dict[str, Any]) -> Any:
    """Build a Bedrock that lists these models as tunable."""
    return Scripted(list_foundation_models={"modelSummaries": list(offers)})


def offer(model_id: str = HAIKU.id, status: str = "ACTIVE", **lifecycle: Any) -> dict[str, Any]:
    """Build one line of the list of foundation models."""
    return {"modelId": model_id, "modelLifecycle": {"status": status, **lifecycle}}


def base_model(bedrock: Any, today: date = ACTIVE_DAYS, region: str = REGION) -> Check:
    """Check Claude 3 Haiku."""
    return check_base_model(run_with(region, bedrock=bedrock), today)


def test_check_base_model_when_active_then_is_ok() -> None:
    """In its active days there is nothing to say."""
    check = base_model(offering(offer()))
    assert check.state == "ok"
    assert "us-west-2 tunes Claude 3 Haiku" in check.message


def test_check_base_model_when_not_listed_then_stops_and_names_others() -> None:
    """A retired model may simply be absent; the message says what can be tuned instead."""
    check = base_model(offering(offer("amazon.nova-micro-v1:0:128k")), TODAY)
    assert check.state == "stop"
    assert "reached its end of life on Amazon Bedrock on 2026-09-10" in check.message
    assert "Bedrock still tunes here: amazon.nova-micro-v1:0:128k" in check.fix
    assert "Amazon Nova Pro, base_model_id amazon.nova-pro-v1:0:300k, in us-east-1" in check.fix


def test_check_base_model_when_region_is_wrong_then_names_the_right_one() -> None:
    """Fine-tuning was offered in one Region alone."""
    check = base_model(offering(), region="us-east-1")
    assert check.state == "stop"
    assert "Bedrock in us-east-1 does not offer" in check.message
    assert "offered in us-west-2" in check.message


def test_check_base_model_when_legacy_then_stops() -> None:
    """Legacy means no new job and no new throughput, though requests are still answered."""
    check = base_model(offering(offer(status="LEGACY")), date(2026, 4, 1))
    assert check.state == "stop"
    assert "is LEGACY: no new customization job" in check.message


def test_check_base_model_when_end_of_life_has_passed_then_stops() -> None:
    """AWS may still list a model whose day has come."""
    ended = datetime(2026, 9, 10, tzinfo=UTC)
    check = base_model(offering(offer(status="LEGACY", endOfLifeTime=ended)), TODAY)
    assert check.state == "stop"
    assert "end of life on 2026-09-10" in check.message


def test_check_base_model_when_endpoint_contradicts_the_dates_then_warns() -> None:
    """The sandbox offers the model as in its active days, and the reader is told so."""
    check = base_model(offering(offer()), TODAY)
    assert check.state == "warn"
    assert "ACTIVE, against AWS's published dates" in check.message


def test_check_base_model_when_not_allowed_then_stops_without_guessing() -> None:
    """Not being allowed to look is neither yes nor no."""
    bedrock: Any = Scripted(list_foundation_models=refusal("AccessDeniedException", status=403))
    check = base_model(bedrock)
    assert check.state == "stop"
    assert "may not list the models" in check.message


AVAILABLE = {
    "modelId": HAIKU.inference_id,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (AVAILABLE, "ok", "may use Claude 3 Haiku"),
        (
            AVAILABLE | {"agreementAvailability": {"status": "NOT_AVAILABLE"}},
            "warn",
            "agreement is NOT_AVAILABLE",
        ),
        (AVAILABLE | {"authorizationStatus": "NOT_AUTHORIZED"}, "warn", "authorization is"),
        (refusal("ResourceNotFoundException", status=404), "warn", "could not be read"),
    ],
)
def test_check_access_when_something_lacks_then_says_what(
    answer: Any, state: str, words: str
) -> None:
    """Agreement, authorization, entitlement and Region are each named."""
    bedrock: Any = Scripted(get_foundation_model_availability=answer)
    check = check_access(run_with(bedrock=bedrock))
    assert check.state == state
    assert words in check.message


def quota(value: float) -> dict[str, Any]:
    """Build an answer of GetServiceQuota."""
    return {"Quota": {"Value": value}}


def test_check_quotas_when_units_are_zero_then_warns_before_training_is_paid() -> None:
    """Training would work and serving be refused, so it is said now."""
    client: Any = Scripted(get_service_quota=quota(0))
    checks = {check.name: check for check in check_quotas(run_with(service_quotas=client))}
    for meaning in ("no_commitment_units", "units_per_provisioned_model"):
        check = checks[f"quota: {meaning.replace('_', ' ')}"]
        assert HAIKU.quota_codes[meaning] in check.fix
        assert check.state == "warn"
        assert "0 model units" in check.message
        assert "before you pay for training" in check.fix


def test_check_quotas_when_account_has_no_value_then_reads_aws_s_default() -> None:
    """Service Quotas keeps no value of the account's own until it is raised."""
    client: Any = Scripted(
        get_service_quota=refusal("NoSuchResourceException"),
        get_aws_default_service_quota=quota(7),
    )
    checks = check_quotas(run_with(service_quotas=client))
    assert len(checks) == len(HAIKU.quota_codes)
    assert all(check.state == "ok" and check.message.startswith("7 ") for check in checks)


def test_check_quotas_when_not_allowed_then_says_where_to_look() -> None:
    """A quota that was not read is never called fine."""
    client: Any = Scripted(get_service_quota=refusal("AccessDeniedException", status=403))
    for check in check_quotas(run_with(service_quotas=client)):
        assert check.state == "warn"
        assert "not read" in check.message
        assert "Service Quotas console" in check.fix


def test_check_units_when_other_runs_hold_all_then_stops_and_names_them(
    tuned_run: Callable[..., Run],
) -> None:
    """The third run of a sandbox: notebook 5 would fail on what notebook 1 can see."""
    run = tuned_run()
    bedrock = run.connection.client("bedrock")
    model_arn = run.record.custom_model_arn
    third = replace(run, record=replace(run.record, run="third", owner="f" * 16))
    for name in ("one", "two"):
        assert check_units(third) == []  # one is left
        tags = {"haikuft:run": name, "haikuft:owner": run.record.owner}
        start_serving(
            bedrock, "provisioned_throughput", f"t-{name}", model_arn=model_arn, tags=tags
        )

    (check,) = check_units(third)
    assert check.state == "stop"
    for words in ("All 2 model units", "t-one (run one)", "t-two (run two)"):
        assert words in check.message
    assert "haikuft sandbox set model_units_quota=3" in check.fix
    assert "haikuft clean-up --run two" in check.fix
    served = replace(run, record=replace(run.record, run="two"))
    assert check_units(served) == []  # it has its unit
    connection: Any = SimpleNamespace(target="aws", client=third.connection.client)
    (check,) = check_units(replace(third, connection=connection))
    assert check.state == "warn"  # a unit may be free once the model is trained
    assert "sandbox" not in check.fix


def test_check_quotas_when_login_has_run_out_then_stops() -> None:
    """An expired login is not a quota's matter."""
    client: Any = Scripted(get_service_quota=refusal("ExpiredTokenException"))
    with pytest.raises(CredentialsError):
        check_quotas(run_with(service_quotas=client))


@pytest.fixture
def storage(local_sandbox: Callable[..., Any]) -> Any:
    """Give an S3 client of an empty sandbox."""
    return local_sandbox().client("s3")


def test_check_bucket_when_free_ours_or_not_then_says_which(storage: Any) -> None:
    """A bucket to be made and our own are fine; any other stops with the parameter to change."""
    run = run_with(s3=storage)
    assert check_bucket(run, "haikuft-b").state == "ok"
    s3.ensure_bucket(storage, "haikuft-b", region=REGION, tags=TAGS)
    assert check_bucket(run, "haikuft-b").state == "ok"
    for other, words in (
        (run_with("eu-west-1", s3=storage), "only its own Region's buckets"),
        (replace(run, record=replace(run.record, owner="f" * 16)), "not made by this run"),
    ):
        check = check_bucket(other, "haikuft-b")
        assert check.state == "stop"
        assert words in check.message
        assert "Set bucket to another name" in check.fix


def test_check_bucket_when_a_platform_team_has_made_the_given_one_then_it_is_used(
    storage: Any,
) -> None:
    """Under the default name it would be somebody else's by accident. Case admin_made_role."""
    place: Any = {"LocationConstraint": REGION}
    default = s3.default_bucket_name("first", account_id="123456789012", region=REGION)
    for name in ("team-data", default):
        storage.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    check = check_bucket(run_with(s3=storage), "team-data")
    assert check.state == "ok"
    assert "used as it is, and never changed or deleted" in check.message
    assert check_bucket(run_with(s3=storage), default).state == "stop"


def test_check_bucket_when_forbidden_then_stops() -> None:
    """Somebody else's bucket is not taken for a free name."""
    client: Any = Scripted(get_bucket_location=refusal("AccessDenied", status=403))
    assert check_bucket(run_with(s3=client), "theirs").state == "stop"


def test_preflight_when_stopped_then_names_every_stop_and_its_fix() -> None:
    """Warnings do not stop; two stops are told at once."""
    preflight = Preflight(
        (
            Check("a", "warn", "Careful."),
            Check("b", "stop", "No.", "Do this."),
            Check("c", "stop", "Neither."),
        )
    )
    assert not preflight.ok
    with pytest.raises(SettingsError, match=r"stops here\. b: No\. Do this\. c: Neither\.$"):
        preflight.raise_if_stopped()
    Preflight((Check("a", "warn", "Careful."),)).raise_if_stopped()


def test_preflight_when_shown_then_is_a_table_with_everything_escaped() -> None:
    """What AWS answers is shown, never run by the browser."""
    shown = Preflight((Check("a", "ok", "<b>bold</b>"),))._repr_html_()
    assert "&lt;b&gt;bold" in shown
    assert "<b>" not in shown


@pytest.fixture(scope="module")
def connection(sandbox: Endpoint, sandbox_state: Path) -> aws.Connection:
    """Connect to this module's sandbox as a notebook does."""
    return aws.connect("sandbox", region=REGION, state=sandbox_state)


@pytest.fixture
def settings(sandbox: Endpoint) -> Iterator[Callable[..., Any]]:
    """`settings(lifecycle="today")` changes the sandbox until the test is over."""
    before = haikuft.sandbox.read_settings(sandbox)
    yield lambda **changes: haikuft.sandbox.configure(sandbox, **changes)
    haikuft.sandbox.configure(
        sandbox, lifecycle=before.lifecycle, model_units_quota=before.model_units_quota
    )


def run(connection: aws.Connection, role_name: str = "") -> Preflight:
    """Run the preflight of notebook 1."""
    record = RunRecord(
        run="first",
        target="sandbox",
        owner=TAGS["haikuft:owner"],
        account_id=connection.account_id,
        region=REGION,
    )
    opened = Run(record, connection, HAIKU, Path())
    return run_preflight(opened, bucket="haikuft-new", today=TODAY, role_name=role_name)


def test_run_preflight_when_role_name_is_an_arn_then_nothing_was_made(
    connection: aws.Connection,
) -> None:
    """Case role_arn_as_name."""
    with pytest.raises(SettingsError, match='give its last part, "MyRole"'):
        run(connection, "arn:aws:iam::123456789012:role/service-role/MyRole")


def test_run_preflight_when_a_role_is_given_then_says_whether_it_can_be_used(
    connection: aws.Connection,
) -> None:
    """One that trusts Bedrock is used as it is; one that does not stops the run."""
    client = connection.client("iam")
    trust = json.dumps(build_trust_policy(connection.account_id, REGION))
    for name, document in (("Trusting", trust), ("Other", trust.replace("bedrock.", "lambda."))):
        client.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=document)

    def role_check(name: str) -> Check:
        return next(check for check in run(connection, name).checks if check.name == "role")

    assert role_check("").message.endswith("does not exist yet and will be made.")
    assert role_check("Trusting").state == "ok"
    assert ":role/service-role/Trusting exists" in role_check("Trusting").message
    assert role_check("Other").state == "stop"
    assert "ask whoever made it" in role_check("Other").message


def test_check_api_key_when_one_is_set_then_says_that_bedrock_sees_another_identity(
    connection: aws.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On AWS alone: the sandbox's clients ignore it."""
    on_aws = replace(connection, target="aws")
    assert check_api_key(on_aws) == []
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret")
    (check,) = check_api_key(on_aws)
    assert check.state == "warn"
    assert "Bedrock sees the identity of that key" in check.message
    assert "secret" not in str(check)
    assert check_api_key(connection) == []


def test_run_preflight_when_on_the_sandbox_then_goes_on_and_says_it_is_a_lesson(
    connection: aws.Connection,
) -> None:
    """The sandbox teaches the model's active days, and the preflight says so."""
    preflight = run(connection)
    preflight.raise_if_stopped()
    states = {check.name: check.state for check in preflight.checks}
    assert states.pop("base model") == "warn"
    assert set(states.values()) == {"ok"}
    assert "…9012" in str(preflight)
    assert connection.account_id not in str(preflight)


def test_run_preflight_when_lifecycle_is_today_s_then_stops(
    connection: aws.Connection, settings: Callable[..., Any]
) -> None:
    """As AWS answers now: nobody can tune the model, and others are named."""
    settings(lifecycle="today")
    with pytest.raises(SettingsError, match=r"end of life.*base_model_id amazon.nova-micro"):
        run(connection).raise_if_stopped()


def test_run_preflight_when_quota_is_aws_s_default_then_warns(
    connection: aws.Connection, settings: Callable[..., Any]
) -> None:
    """A quota of 0 is shown before anything costs money."""
    settings(model_units_quota=0)
    preflight = run(connection)
    assert preflight.ok
    warned = [check.name for check in preflight.checks if check.state == "warn"]
    assert {"quota: no commitment units", "quota: units per provisioned model"} <= {*warned}
