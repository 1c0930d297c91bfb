"""Custom model deployments: what can be deployed, how it comes to serve, and when it can go."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.sandbox.http.messages import ServiceError

EXAMPLE = "amazon.example-v1:0:128k"  # the base model of the fixture `deployer`


def tune(desk, name="job-1", base=EXAMPLE):
    """Tune a base model and give the custom model's ARN."""
    return desk.run_job(name, baseModelIdentifier=base)["outputModelArn"]


def get(desk, name="live"):
    """Describe a deployment."""
    return desk.ask("GetCustomModelDeployment", customModelDeploymentIdentifier=name)


def update(desk, model_arn, name="live"):
    """Give a deployment another model."""
    asked = {"customModelDeploymentIdentifier": name, "modelArn": model_arn}
    return desk.ask("UpdateCustomModelDeployment", **asked)


def delete(desk, name="live"):
    """Delete a deployment."""
    return desk.ask("DeleteCustomModelDeployment", customModelDeploymentIdentifier=name)


def invoke(desk, model_id):
    """Ask for a reply's `model`."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "Where is it?"}],
    }
    answer = desk.ask("InvokeModel", modelId=model_id, body=json.dumps(body).encode())
    return json.loads(answer["body"])["model"]


def test_create_is_creating_until_its_time_then_active_and_answers(deployer):
    """The clock alone turns Creating to Active; its ARN is the model id to ask by."""
    model = tune(deployer)
    arn = deployer.deploy(model, description="For the shop.")
    assert re.fullmatch(
        r"arn:aws:bedrock:us-west-2:123456789012:custom-model-deployment/[a-z0-9]{12}", arn
    )
    assert get(deployer)["status"] == "Creating"
    with pytest.raises(ServiceError) as caught:
        invoke(deployer, arn)
    assert caught.value.code == "ModelNotReadyException"
    created = deployer.time
    deployer.pass_time(seconds=2)
    assert get(deployer, arn) == {
        "customModelDeploymentArn": arn,
        "modelDeploymentName": "live",
        "modelArn": model,
        "createdAt": created,
        "status": "Active",
        "description": "For the shop.",
        "lastUpdatedAt": deployer.time,
    }
    assert invoke(deployer, arn) == "sandbox-stand-in/model-of-job-1"


def test_create_for_claude_3_haiku_is_refused_and_says_what_serves_it(deployer):
    """AWS serves its custom models through Provisioned Throughput only."""
    model = tune(deployer, base=CLAUDE_3_HAIKU.id)
    with pytest.raises(ServiceError, match="through Provisioned Throughput only") as caught:
        deployer.deploy(model)
    assert caught.value.code == "ValidationException"
    assert deployer.ask("ListCustomModelDeployments") == {"modelDeploymentSummaries": []}


def test_create_for_unknown_model_or_other_region_is_not_found(deployer):
    """A custom model is deployed in its own Region, by its ARN."""
    model = tune(deployer)
    with pytest.raises(ServiceError) as caught:
        deployer.deploy(model[:-12] + "abcdefghijkl")
    assert caught.value.code == "ResourceNotFoundException"
    with pytest.raises(ServiceError) as caught:
        deployer.deploy(model, region="us-east-1")
    assert caught.value.code == "ResourceNotFoundException"


def test_create_when_token_is_repeated_gives_the_first_one(deployer):
    """A request repeated with its token makes nothing new."""
    model = tune(deployer)
    first = deployer.deploy(model, clientRequestToken="token-1")
    assert deployer.deploy(model, clientRequestToken="token-1") == first
    assert len(deployer.ask("ListCustomModelDeployments")["modelDeploymentSummaries"]) == 1


def test_create_when_name_is_taken_is_refused(deployer):
    """Names are unique within account and Region, and free again after deletion."""
    model = tune(deployer)
    deployer.deploy(model)
    with pytest.raises(ServiceError, match="currently in use"):
        deployer.deploy(model)
    deployer.pass_time(seconds=2)
    delete(deployer)
    deployer.deploy(model)


def test_create_beyond_the_quotas_is_refused(deployer):
    """Two in progress, ten in all: AWS's defaults."""
    model = tune(deployer)
    for number in range(10):
        deployer.deploy(model, f"live-{number}")
        if number % 2:
            with pytest.raises(ServiceError, match=r"limited to \d+ custom model deployments"):
                deployer.deploy(model, "one-more")
            deployer.pass_time(seconds=2)
    with pytest.raises(ServiceError, match="limited to 10") as caught:
        deployer.deploy(model, "one-more")
    assert caught.value.code == "ServiceQuotaExceededException"


def test_create_when_base_model_is_legacy_goes_through(deployer):
    """What was tuned before may still be deployed; throughput may not."""
    model = tune(deployer)
    base = deployer.base_models[EXAMPLE]
    legacy = replace(base.lifecycle, extended=None, end_of_life=None)
    deployer.base_models[EXAMPLE] = replace(base, lifecycle=legacy)
    deployer.change(lifecycle="today")
    with pytest.raises(ServiceError, match="Legacy"):
        deployer.provision(modelId=model)
    assert deployer.deploy(model)


def test_create_when_base_model_has_ended_is_refused_and_so_is_asking(deployer):
    """Past the end of life nothing answers."""
    model = tune(deployer)
    arn = deployer.deploy(model)
    deployer.pass_time(seconds=2)
    deployer.change(lifecycle="today")
    for attempt in (lambda: deployer.deploy(model, "late"), lambda: invoke(deployer, arn)):
        with pytest.raises(ServiceError, match="reached the end of its life"):
            attempt()


def test_tags_given_at_creation_and_later_are_listed_until_deletion(deployer):
    """A deployment takes tags as other resources do."""
    arn = deployer.deploy(tune(deployer), tags=[{"key": "team", "value": "a"}])
    deployer.ask("TagResource", resourceARN=arn, tags=[{"key": "cost", "value": "b"}])
    found = deployer.ask("ListTagsForResource", resourceARN=arn)["tags"]
    assert found == [{"key": "team", "value": "a"}, {"key": "cost", "value": "b"}]
    deployer.pass_time(seconds=2)
    delete(deployer)
    with pytest.raises(ServiceError) as caught:
        deployer.ask("ListTagsForResource", resourceARN=arn)
    assert caught.value.code == "ResourceNotFoundException"


def test_update_serves_the_old_model_until_ready_and_keeps_the_arn(deployer):
    """The deployment stays Active; updateDetails has the state of the update."""
    one, two = tune(deployer, "one"), tune(deployer, "two")
    arn = deployer.deploy(one)
    deployer.pass_time(seconds=2)
    assert "updateDetails" not in get(deployer)
    assert update(deployer, two) == {"customModelDeploymentArn": arn}
    found = get(deployer)
    assert (found["status"], found["modelArn"]) == ("Active", one)
    assert found["updateDetails"] == {"modelArn": two, "updateStatus": "Updating"}
    assert invoke(deployer, arn) == "sandbox-stand-in/model-of-one"
    deployer.pass_time(seconds=2)
    found = get(deployer)
    assert found["updateDetails"] == {"modelArn": two, "updateStatus": "UpdateCompleted"}
    assert (found["modelArn"], found["lastUpdatedAt"]) == (two, deployer.time)
    assert invoke(deployer, arn) == "sandbox-stand-in/model-of-two"


def test_update_while_something_is_pending_is_refused(deployer):
    """One change at a time."""
    model = tune(deployer)
    deployer.deploy(model)
    with pytest.raises(ServiceError, match="live is Creating") as caught:
        update(deployer, model)
    assert caught.value.code == "ValidationException"


def test_delete_while_creating_is_a_conflict_and_after_it_the_deployment_is_gone(deployer):
    """The custom model stays."""
    model = tune(deployer)
    arn = deployer.deploy(model)
    with pytest.raises(ServiceError) as caught:
        delete(deployer)
    assert caught.value.code == "ConflictException"
    deployer.pass_time(seconds=2)
    delete(deployer, arn)
    for attempt in (get, delete, lambda desk: invoke(desk, arn)):
        with pytest.raises(ServiceError) as caught:
            attempt(deployer)
        assert caught.value.code == "ResourceNotFoundException"
    assert deployer.ask("GetCustomModel", modelIdentifier=model)["modelArn"] == model


def test_deployment_whose_model_is_lost_has_failed_until_it_is_given_another(deployer):
    """Failed is AWS's word for one that became unavailable; the message says how to fix it."""
    one, two = tune(deployer, "one"), tune(deployer, "two")
    arn = deployer.deploy(one)
    deployer.pass_time(seconds=2)
    shutil.rmtree(deployer.bedrock.plane.state.models[one].directory)
    found = get(deployer)
    assert found["status"] == "Failed"
    assert "files of custom model model-of-one are gone" in found["failureMessage"]
    [row] = deployer.ask("ListCustomModelDeployments", statusEquals="Failed")[
        "modelDeploymentSummaries"
    ]
    assert row["failureMessage"] == found["failureMessage"]
    with pytest.raises(ServiceError, match="are gone") as caught:
        invoke(deployer, arn)
    assert caught.value.code == "ModelErrorException"
    update(deployer, two)
    deployer.pass_time(seconds=2)
    assert get(deployer)["status"] == "Active"
    assert invoke(deployer, arn) == "sandbox-stand-in/model-of-two"


def test_delete_of_a_custom_model_that_is_deployed_is_a_conflict_naming_it(deployer):
    """Both the model that is served and the one that will be are held."""
    one, two = tune(deployer, "one"), tune(deployer, "two")
    deployer.deploy(one)
    deployer.pass_time(seconds=2)
    update(deployer, two)
    for model in (one, two):
        with pytest.raises(ServiceError, match="by custom model deployment live") as caught:
            deployer.ask("DeleteCustomModel", modelIdentifier=model)
        assert caught.value.code == "ConflictException"
    deployer.pass_time(seconds=2)
    deployer.ask("DeleteCustomModel", modelIdentifier=one)


def test_list_when_filtered_sorted_or_paged_shows_those(deployer):
    """Filters see each deployment as it stands now; rows name it as AWS's rows do."""
    one, two = tune(deployer, "one"), tune(deployer, "two")
    old = deployer.deploy(one, "old")
    deployer.pass_time(seconds=2)
    middle = deployer.time
    deployer.pass_time(seconds=2)
    deployer.deploy(two, "new")

    def names(**filters):
        found = deployer.ask("ListCustomModelDeployments", **filters)
        return [row["customModelDeploymentName"] for row in found["modelDeploymentSummaries"]]

    assert names() == ["new", "old"]
    assert names(sortBy="CreationTime", sortOrder="Ascending") == ["old", "new"]
    assert names(statusEquals="Active") == ["old"]
    assert names(statusEquals="Creating") == ["new"]
    assert names(statusEquals="Failed") == []
    assert names(modelArnEquals=two) == ["new"]
    assert names(nameContains="ol") == ["old"]
    assert names(createdBefore=middle) == ["old"]
    assert names(createdAfter=middle) == ["new"]
    assert names(region="us-east-1") == []
    first = deployer.ask("ListCustomModelDeployments", maxResults=1)
    assert names(maxResults=1, nextToken=first["nextToken"]) == ["old"]
    rows = deployer.ask("ListCustomModelDeployments", nameContains="old")
    assert rows["modelDeploymentSummaries"][0]["customModelDeploymentArn"] == old


def test_deployment_when_boto3_makes_it_then_answers_by_its_arn(deployer, local_sandbox):
    """Over HTTP, with the paginator, by Converse, to the end."""
    handlers = {**deployer.bedrock.handlers, **deployer.runtime.handlers()}
    served = local_sandbox(handlers)
    bedrock, runtime = served.client("bedrock"), served.client("bedrock-runtime")
    model = tune(deployer)
    made = bedrock.create_custom_model_deployment(modelDeploymentName="live", modelArn=model)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    arn = made["customModelDeploymentArn"]
    deployer.pass_time(seconds=2)
    pages = bedrock.get_paginator("list_custom_model_deployments").paginate()
    assert [row["status"] for page in pages for row in page["modelDeploymentSummaries"]] == [
        "Active"
    ]
    question = [{"role": "user", "content": [{"text": "Where is it?"}]}]
    assert runtime.converse(modelId=arn, messages=question)["stopReason"] == "end_turn"
    bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
    with pytest.raises(runtime.exceptions.ResourceNotFoundException):
        runtime.converse(modelId=arn, messages=question)
