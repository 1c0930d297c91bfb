"""What a run has made: listed as AWS tells it, priced, and deleted in the right order."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import SOON, buy_throughput, refusal

from haikuft import customization, s3, serving
from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.base_models import NOVA_MICRO
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.plan import build_job_request
from haikuft.errors import CredentialsError
from haikuft.inventory import delete_resources, list_resources, summarise, tabulate
from haikuft.inventory.resources import BUCKET, GONE, OBJECTS, OTHER, ROLE, UNKNOWN, Resource
from haikuft.runs.lookup import DEPLOYMENT, JOB, MODEL, THROUGHPUT
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run, resource_prefix
from haikuft.serving.lifecycle import start_serving

ACCOUNT = "123456789012"
REGION = "us-west-2"
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
NAME = f"{resource_prefix('first')}-1"


def start_job(run: Run) -> str:
    """Do what notebook 3 does."""
    request = build_job_request(run, NAME, {"epochCount": "1"})
    return customization.start_job(run.connection.client("bedrock"), request)


def serve(run: Run, model_arn: str, **options: Any) -> str:
    """Do what notebook 5 does."""
    bedrock = run.connection.client("bedrock")
    arn = start_serving(
        bedrock, "provisioned_throughput", NAME, model_arn=model_arn, tags=run.tags, **options
    )
    serving.wait_for_served(bedrock, arn, SOON)
    return arn


def billing_now(run: Run) -> list[Resource]:
    """List what bills."""
    return [one for one in list_resources(run) if one.bills]


def by_kind(resources: list[Resource]) -> dict[str, Resource]:
    """Index resources that differ in kind."""
    assert len({one.kind for one in resources}) == len(resources)
    return {one.kind: one for one in resources}


def billing(run: Run) -> Run:
    """Give the same run as a target that sends a bill would have it."""
    return replace(run, connection=replace(run.connection, bills=True))


def test_delete_resources_when_the_whole_walk_is_done_then_nothing_is_left(
    new_run: Callable[..., Run], set_up: Callable[[Run], Run]
) -> None:
    """Listed, billed, deleted in order, read back, and deleted again."""
    run = set_up(new_run())
    bedrock = run.connection.client("bedrock")
    job = wait_for_job(bedrock, start_job(run), SOON)
    serve(run, job.custom_model_arn or "")
    # The record knows neither job, model nor throughput: their tags tell whose they are.
    listed = list_resources(run)
    assert [one.kind for one in listed] == [THROUGHPUT, JOB, MODEL, OBJECTS, BUCKET, ROLE]
    assert not billing_now(run)
    assert "On AWS it would bill: 1 model unit by the hour" in listed[0].hint
    priced = replace(run, record=replace(run.record, price_per_unit_hour=40.0))
    costs = by_kind(billing_now(billing(priced)))
    assert set(costs) == {THROUGHPUT, MODEL, OBJECTS}
    assert costs[THROUGHPUT].per_hour == 40.0
    assert "until it is deleted, used or not" in costs[THROUGHPUT].bills
    assert costs[MODEL].per_hour == pytest.approx(1.95 / 730)
    for kinds in ({one.kind for one in listed}, {JOB, BUCKET, ROLE}):
        left = by_kind(delete_resources(run))
        assert set(left) == kinds
        assert {one.status for kind, one in left.items() if kind != JOB} == {GONE}
        assert left[JOB].status == "Completed"
    assert not billing_now(billing(priced))
    assert bedrock.list_custom_models()["modelSummaries"] == []
    assert bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []
    assert run.connection.client("s3").list_buckets()["Buckets"] == []
    assert run.connection.client("iam").list_roles()["Roles"] == []


def test_delete_resources_when_a_deployment_serves_then_goes_before_the_model(
    tuned_run: Callable[..., Run],
) -> None:
    """Known to the record or by its tag alone; it bills nothing idle, and says what it bills."""
    run = tuned_run(NOVA_MICRO)
    bedrock, model_arn = run.connection.client("bedrock"), run.record.custom_model_arn
    arn = start_serving(bedrock, "deployment", NAME, model_arn=model_arn, tags=run.tags)
    serve(run, model_arn)
    recorded = replace(run, record=replace(run.record, deployment_arn=arn))
    for known in (run, recorded):
        listed = list_resources(known)
        assert [one.kind for one in listed[:2]] == [DEPLOYMENT, THROUGHPUT]
        assert (listed[0].name, listed[0].status, listed[0].bills) == (NAME, "Active", "")
        assert "US$0.035 in and US$0.14 out per 1,000,000 tokens" in listed[0].hint
        assert listed[0].hint.endswith("nothing while idle.")
    assert DEPLOYMENT not in {one.kind for one in billing_now(billing(recorded))}
    left = by_kind(delete_resources(run))
    assert {one.status for one in left.values()} == {"Completed", GONE}
    assert bedrock.list_custom_model_deployments()["modelDeploymentSummaries"] == []
    assert bedrock.list_custom_models()["modelSummaries"] == []
    assert by_kind(list_resources(recorded))[DEPLOYMENT].status == GONE


def test_list_resources_when_a_deployment_has_no_known_price_then_says_so(
    tuned_run: Callable[..., Run],
) -> None:
    """A given price is the record's."""
    run = tuned_run(NOVA_MICRO)
    bedrock = run.connection.client("bedrock")
    arn = start_serving(
        bedrock, "deployment", NAME, model_arn=run.record.custom_model_arn, tags=run.tags
    )
    stranger = replace(run, record=replace(run.record, base_model_id="a.b", deployment_arn=arn))
    given = replace(run, record=replace(run.record, token_price="0.5 0.6"))
    assert "a price we do not know" in by_kind(list_resources(stranger))[DEPLOYMENT].hint
    assert "US$500.00 in and US$600.00 out" in by_kind(list_resources(given))[DEPLOYMENT].hint


def test_list_resources_when_the_base_model_is_never_deployed_then_does_not_look() -> None:
    """Its caller need not be allowed to; what a record names is looked at all the same."""
    connection: Any = Refusing("AccessDeniedException")
    kinds = [one.kind for one in list_resources(Run(RECORD, connection, HAIKU, Path()))]
    assert DEPLOYMENT not in kinds
    named = replace(RECORD, deployment_arn="arn:d/abc")
    kinds = [one.kind for one in list_resources(Run(named, connection, HAIKU, Path()))]
    assert kinds[0] == DEPLOYMENT


def test_list_resources_when_aws_knows_nothing_then_shows_it_as_gone(
    new_run: Callable[..., Run],
) -> None:
    """A record that outlived its sandbox is no crash, and deleting is none either."""
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
    run = new_run()
    run = replace(
        run,
        record=replace(
            run.record,
            bucket="haikuft-gone",
            role_name="AmazonBedrock-gone",
            job_arn=f"{arn}:model-customization-job/{HAIKU.id}/abcdefghijkl",
            custom_model_arn=f"{arn}:custom-model/{HAIKU.id}/abcdefghijkl",
            throughput_arn=f"{arn}:provisioned-model/abcdefghijkl",
        ),
    )
    for resources in (list_resources(run), delete_resources(run)):
        kinds = by_kind(resources)
        assert set(kinds) == {THROUGHPUT, JOB, MODEL, BUCKET, ROLE}
        assert {one.status for one in resources} == {GONE}
    assert not billing_now(billing(run))


def test_list_resources_when_nothing_was_made_then_is_empty(new_run: Callable[..., Run]) -> None:
    """A run that has only begun has nothing."""
    assert list_resources(new_run()) == []


def test_list_resources_when_another_run_has_some_then_leaves_them_out(
    new_run: Callable[..., Run],
) -> None:
    """A run named first-b begins like one named first: the tag decides whose a thing is."""
    run = new_run()
    buy_throughput(run, f"{resource_prefix('first-b')}-20261121-120000", "first-b")
    assert list_resources(run) == []
    delete_resources(run)
    bedrock = run.connection.client("bedrock")
    assert len(bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]) == 1


def test_delete_resources_when_a_job_runs_then_stops_it_first(
    new_run: Callable[..., Run], set_up: Callable[[Run], Run]
) -> None:
    """A running job bills; afterwards it is stopped, and everything else is gone."""
    run = set_up(new_run(stage_seconds=30))
    bedrock = run.connection.client("bedrock")
    arn = start_job(run)
    running = by_kind(billing_now(billing(run)))[JOB]
    assert running.status == "InProgress"
    assert "tokens it trains" in running.bills
    left = by_kind(delete_resources(run))
    assert left[JOB].status == "Stopped"
    assert customization.get_job(bedrock, arn).status == "Stopped"
    assert {left[BUCKET].status, left[ROLE].status} == {GONE}


def test_delete_resources_when_throughput_is_committed_then_says_so_and_deletes_the_rest(
    new_run: Callable[..., Run], set_up: Callable[[Run], Run]
) -> None:
    """What cannot go stays with its reason and its date; what can go, goes."""
    run = set_up(new_run())
    serve(run, HAIKU.arn(REGION), commitment="1 month")
    left = by_kind(delete_resources(run))
    assert left[THROUGHPUT].status == "InService"
    assert "committed for 1 month, until 20" in left[THROUGHPUT].hint
    assert {left[BUCKET].status, left[ROLE].status} == {GONE}
    assert by_kind(billing_now(billing(run)))[THROUGHPUT].bills


def test_delete_resources_when_the_bucket_is_not_ours_then_leaves_it(
    new_run: Callable[..., Run], set_up: Callable[[Run], Run]
) -> None:
    """A record that names somebody's bucket does not empty it."""
    run = set_up(new_run())
    client = run.connection.client("s3")
    tags: Any = {"TagSet": [{"Key": "haikuft:run", "Value": "second"}]}
    client.put_bucket_tagging(Bucket=run.record.bucket, Tagging=tags)
    left = by_kind(delete_resources(run))
    assert left[BUCKET].status == OTHER
    assert "no owner id" in left[BUCKET].hint
    assert len(s3.list_objects(client, run.record.bucket)) == 2
    assert left[ROLE].status == GONE


class Refusing:
    """A connection whose every call ends in the same error."""

    bills = True
    poll_seconds = 0.0

    def __init__(self, code: str) -> None:
        self._error = refusal(code)

    def client(self, _: str) -> Any:
        """Give a client that refuses."""
        return self

    def __getattr__(self, name: str) -> Any:
        """Refuse, paginators included."""

        def refuse(*_: Any, **__: Any) -> Any:
            raise self._error

        return refuse


MADE = {"bucket": "b", "role_name": "r", "throughput_arn": "arn:pt/abc"}
RECORD = RunRecord("first", "aws", "0123456789abcdef", **MADE)


def test_list_resources_when_not_allowed_to_look_then_never_calls_it_gone(tmp_path: Path) -> None:
    """What may still bill is shown as unknown, whatever the policy allows."""
    connection: Any = Refusing("AccessDeniedException")
    resources = list_resources(Run(RECORD, connection, HAIKU, tmp_path))
    assert {one.status for one in resources} == {UNKNOWN}
    assert "arn:pt/abc" in {one.arn for one in resources}
    assert {THROUGHPUT, JOB, MODEL, BUCKET, ROLE} <= {one.kind for one in resources}
    assert all("administrator" in one.hint for one in resources)


def test_list_resources_when_login_has_run_out_then_says_so(tmp_path: Path) -> None:
    """An expired login is told once, not as a list of unknowns."""
    connection: Any = Refusing("ExpiredTokenException")
    run = Run(RECORD, connection, HAIKU, tmp_path)
    for act in (list_resources, billing_now, delete_resources):
        with pytest.raises(CredentialsError, match="aws sso login"):
            act(run)


COSTLY = Resource(THROUGHPUT, "serve", "arn:pt/abc", "InService", "by the hour", 40.0)
STORED = Resource(OBJECTS, "b", "arn:b/*", "3, 1.0 MB", "storage: cents")
DONE = Resource(JOB, "job", "arn:job", "Completed")


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ([DONE, Resource(BUCKET, "b", "arn:b", GONE)], "nothing is left but its jobs' entries"),
        ([COSTLY, STORED], "not known of S3 objects b; the rest costs US\\$40.00 an hour"),
        ([COSTLY], "is left: Provisioned Throughput serve.\nBilling now:\n.*US\\$40.00 an hour"),
        ([STORED], "the price is not known of S3 objects b.\nSet delete = True to end it."),
        ([Resource(MODEL, "m", "arn:m", UNKNOWN)], "not known: custom model m"),
        ([Resource(MODEL, "m", "arn:m", OTHER)], "Not this run's: custom model m"),
    ],
)
def test_summarise_when_something_is_left_then_says_what_and_what_it_costs(
    resources: list[Resource], words: str, tmp_path: Path
) -> None:
    """The last sentence of the series is computed, and never calls the unseen gone."""
    connection: Any = None
    said = summarise(Run(RECORD, connection, HAIKU, tmp_path), resources)
    assert re.search(words, said)
    nothing = resources[0].status in ("Completed", OTHER)
    assert ("Billing now: nothing of this run." in said) == nothing


def test_tabulate_when_given_resources_then_has_a_row_for_each() -> None:
    """Also an empty inventory is a table with its headings."""
    table = tabulate([COSTLY, DONE])
    assert [row[0] for row in table.rows] == [THROUGHPUT, JOB]
    at = table.headings.index("US$ an hour")
    assert [row[at] for row in table.rows] == ["40.0000", ""]
    assert tabulate([]).headings == table.headings
