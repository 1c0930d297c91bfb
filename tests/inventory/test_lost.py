"""What a run has made whose record is lost: found by its name and tags, and by nothing else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import SOON, buy_throughput

from haikuft import customization, iam, s3
from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.customization.jobs import wait_for_job
from haikuft.errors import JobFailedError
from haikuft.inventory import delete_resources, list_resources
from haikuft.inventory.lost import Lost, find_lost
from haikuft.inventory.resources import BUCKET, OTHER, ROLE
from haikuft.runs.lookup import JOB, MODEL, THROUGHPUT
from haikuft.runs.preflight import check_owner
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import start_serving

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]
STRANGER = "f" * 16


def search(run: Run) -> Lost:
    """Search as if the record were lost."""
    return find_lost(run.connection, run.base_model, run.record.run)


def without_record(run: Run, owner: str = STRANGER) -> Run:
    """Begin the run of that name anew, as notebook 1 does without a record."""
    bare = replace(run.record, owner=owner, bucket="", role_name="", job_arn="", job_name="")
    return replace(run, record=replace(bare, custom_model_arn="", custom_model_name=""))


def test_find_lost_when_a_run_was_made_then_finds_all_of_it_under_its_owner(
    tuned_run: NewRun,
) -> None:
    """Bucket and role, too; the run that comes of it can be listed and deleted like any other."""
    run = tuned_run()
    bedrock, iam_client = run.connection.client("bedrock"), run.connection.client("iam")
    evaluation_role = iam.name_evaluation_role(run.record.role_name)
    iam.ensure_role(
        iam_client,
        evaluation_role,
        trust_policy=iam.build_evaluation_trust_policy(run.record.account_id, run.record.region),
        role_policy=iam.build_evaluation_policy(
            run.record.bucket, region=run.record.region, account_id=run.record.account_id
        ),
        tags=run.tags,
    )
    start_serving(
        bedrock,
        "provisioned_throughput",
        run.resource_name,
        model_arn=run.record.custom_model_arn,
        tags=run.tags,
    )
    lost = search(run)
    assert lost.unseen == ()
    (found,) = lost.runs.values()
    assert found.record.owner == run.record.owner
    names = (found.record.bucket, found.record.role_name, found.record.evaluation_role_name)
    assert names == (run.record.bucket, run.record.role_name, evaluation_role)
    kinds = {one.kind for one in list_resources(found)}
    assert {THROUGHPUT, JOB, MODEL, BUCKET, ROLE} <= kinds
    delete_resources(found, SOON)
    assert bedrock.list_custom_models()["modelSummaries"] == []
    assert bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []
    assert run.connection.client("s3").list_buckets()["Buckets"] == []
    assert iam_client.list_roles()["Roles"] == []
    assert not (run.directory / "run.json").exists()


def test_find_lost_when_everything_was_deleted_then_old_jobs_do_not_count(
    tuned_run: NewRun,
) -> None:
    """AWS keeps their entries for good, and the name is free again."""
    run = tuned_run()
    delete_resources(run, SOON)
    assert search(run).found == ()
    assert check_owner(without_record(run)).state == "ok"


def test_find_lost_when_bucket_and_role_have_names_of_their_own_then_the_job_tells_them(
    new_run: NewRun, tune: SetUp
) -> None:
    """A job says under which role it ran and where its output went."""
    run = new_run()
    name = "a-bucket-of-our-own"
    s3.ensure_bucket(run.connection.client("s3"), name, region=run.record.region, tags=run.tags)
    run = tune(run)
    bedrock = run.connection.client("bedrock")
    other = replace(run, record=replace(run.record, bucket=name))
    plan = customization.plan_job(bedrock, other, {"epochCount": "1"}, new_job=True)
    arn = customization.start_job(bedrock, plan.request)
    with pytest.raises(JobFailedError, match="PutObject"):  # the role may not write there
        wait_for_job(bedrock, arn, SOON)
    buckets = {one.name for one in search(run).found if one.kind == BUCKET}
    assert buckets == {name, run.record.bucket}


def test_check_owner_when_the_name_is_another_s_then_stops_and_proposes_a_free_one(
    tuned_run: NewRun,
) -> None:
    """Two people, one account, one name: nothing of the first is touched."""
    theirs = tuned_run()
    ours = without_record(theirs)
    check = check_owner(ours)
    assert check.state == "stop"
    assert f"owner id {theirs.record.owner}" in check.message
    for kind in (MODEL, BUCKET, ROLE):
        assert kind in check.message
    assert 'run = "first-2" is free' in check.fix
    assert f'owner = "{theirs.record.owner}"' in check.fix
    before = list_resources(theirs)
    shown = {one.status for one in list_resources(ours)}
    assert shown == {OTHER}
    delete_resources(ours)
    assert list_resources(theirs) == before


def test_check_owner_when_the_run_is_taken_up_again_then_goes_on(tuned_run: NewRun) -> None:
    """With the owner id that the check has told."""
    run = tuned_run()
    assert check_owner(without_record(run, run.record.owner)).state == "ok"


def test_check_owner_when_the_record_is_of_an_earlier_version_then_shows_what_is_adopted(
    tuned_run: NewRun,
) -> None:
    """Job and model carry the run's name and no owner id, and the record names them."""
    run = tuned_run()
    bedrock: Any = run.connection.client("bedrock")
    for arn in (run.record.job_arn, run.record.custom_model_arn):
        bedrock.untag_resource(resourceARN=arn, tagKeys=["haikuft:owner"])
    check = check_owner(run)
    assert check.state == "warn"
    assert f"custom model {run.record.custom_model_name}" in check.message
    assert check_owner(without_record(run)).state == "stop"


def test_list_resources_when_a_stranger_has_our_name_then_shows_it_and_leaves_it_alone(
    new_run: NewRun,
) -> None:
    """Untagged, it may be anybody's, and bills somebody else."""
    run = new_run()
    bedrock = run.connection.client("bedrock")
    start_serving(bedrock, "provisioned_throughput", "haikuft-first", model_arn=HAIKU.id)
    on_aws = replace(run, connection=replace(run.connection, bills=True))
    for resources in (list_resources(on_aws), delete_resources(on_aws)):
        (found,) = resources
        assert (found.kind, found.status, found.bills) == (THROUGHPUT, OTHER, "")
        assert "no owner id" in found.hint
    assert len(bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]) == 1


def test_check_owner_when_what_the_record_names_may_be_anybody_s_then_stops_and_says_what_to_do(
    new_run: NewRun,
) -> None:
    """Notebook 1 shows it as a check, before it makes anything."""
    run = new_run()
    buy_throughput(run, "haikuft-first", "first")
    check = check_owner(replace(run, record=replace(run.record, throughput_name="haikuft-first")))
    assert check.state == "stop"
    assert f"add the tag haikuft:owner = {run.record.owner}" in check.message
