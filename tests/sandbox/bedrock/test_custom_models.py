"""Custom models: what is kept of the job, lists, and deletion."""

import pytest

from haikuft.sandbox.http.messages import ServiceError

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
BASE_ARN = f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}"


def test_get_tells_what_the_job_was_given_and_what_came_of_it(desk):
    """Model and job agree on data, hyperparameters and losses."""
    job = desk.run_job()
    model = desk.ask("GetCustomModel", modelIdentifier=job["outputModelArn"])
    for member in (
        "jobName",
        "jobArn",
        "baseModelArn",
        "hyperParameters",
        "trainingDataConfig",
        "validationDataConfig",
        "outputDataConfig",
        "trainingMetrics",
        "validationMetrics",
    ):
        assert model[member] == job[member]
    assert model["modelStatus"] == "Active"


@pytest.mark.parametrize("operation", ["GetCustomModel", "DeleteCustomModel"])
def test_unknown_model_is_not_found(desk, operation):
    """A name that no model has is a 404."""
    with pytest.raises(ServiceError) as caught:
        desk.ask(operation, modelIdentifier="nobody")
    assert caught.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 1),
        ({"baseModelArnEquals": BASE_ARN}, 1),
        ({"foundationModelArnEquals": BASE_ARN.removesuffix(":200k")}, 0),
        ({"nameContains": "model-of"}, 1),
        ({"nameContains": "other"}, 0),
        ({"isOwned": True}, 1),
        ({"isOwned": False}, 0),
        ({"modelStatus": "Failed"}, 0),
    ],
)
def test_list_when_filtered_shows_those(desk, filters, count):
    """Every filter of ListCustomModels works."""
    desk.run_job()
    assert len(desk.ask("ListCustomModels", **filters)["modelSummaries"]) == count


def test_list_in_another_region_is_empty(desk):
    """Regions see nothing of each other."""
    desk.run_job()
    assert desk.ask("ListCustomModels", region="us-east-1") == {"modelSummaries": []}


def test_delete_takes_the_files_along(desk):
    """A deleted model is in no list and on no disk; its job stays."""
    job = desk.run_job()
    desk.ask("DeleteCustomModel", modelIdentifier="model-of-job-1")
    assert desk.ask("ListCustomModels") == {"modelSummaries": []}
    assert list(desk.bedrock.plane.models_dir.iterdir()) == []
    assert desk.ask("GetModelCustomizationJob", jobIdentifier=job["jobArn"]) == job


def test_delete_while_served_is_a_conflict(desk):
    """A throughput keeps its model; without it the model can go."""
    job = desk.run_job()
    desk.provision(modelId=job["outputModelArn"])
    with pytest.raises(ServiceError, match="pt-1") as caught:
        desk.ask("DeleteCustomModel", modelIdentifier=job["outputModelArn"])
    assert caught.value.code == "ConflictException"
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")
    desk.ask("DeleteCustomModel", modelIdentifier=job["outputModelArn"])
