"""Tags on jobs, custom models and throughputs."""

import pytest

from haikuft.sandbox.http.routing import ServiceError


def tags_of(desk, arn):
    """Key -> value of a resource's tags."""
    tags = desk.ask("ListTagsForResource", resourceARN=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def test_tags_given_at_creation_are_on_job_model_and_throughput(desk):
    """Each has its own: jobTags, customModelTags, tags."""
    job = desk.run_job(
        jobTags=[{"key": "haikuft:run", "value": "one"}],
        customModelTags=[{"key": "haikuft:run", "value": "two"}],
    )
    arn = desk.provision(
        modelId=job["outputModelArn"], tags=[{"key": "haikuft:run", "value": "three"}]
    )
    assert tags_of(desk, job["jobArn"]) == {"haikuft:run": "one"}
    assert tags_of(desk, job["outputModelArn"]) == {"haikuft:run": "two"}
    assert tags_of(desk, arn) == {"haikuft:run": "three"}


def test_tag_adds_and_replaces_and_untag_takes_away(desk):
    """Tagging twice keeps the last value; untagging an absent key is no error."""
    arn = desk.provision(tags=[{"key": "a", "value": "1"}])
    tags = [{"key": "a", "value": "2"}, {"key": "b", "value": ""}]
    desk.ask("TagResource", resourceARN=arn, tags=tags)
    assert tags_of(desk, arn) == {"a": "2", "b": ""}
    desk.ask("UntagResource", resourceARN=arn, tagKeys=["a", "never"])
    assert tags_of(desk, arn) == {"b": ""}


def test_tags_of_a_deleted_throughput_are_gone(desk):
    """What is gone has no tags."""
    arn = desk.provision(tags=[{"key": "a", "value": "1"}])
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId=arn)
    with pytest.raises(ServiceError) as caught:
        tags_of(desk, arn)
    assert caught.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "ValidationException"),
        ([{"key": "aws:a", "value": "1"}], "ValidationException"),
        ([{"key": str(n), "value": ""} for n in range(51)], "TooManyTagsException"),
    ],
)
def test_tags_that_break_a_rule_are_refused_and_nothing_is_made(desk, tags, code):
    """No key twice, none of AWS's own, at most fifty."""
    with pytest.raises(ServiceError) as caught:
        desk.provision(tags=tags)
    assert caught.value.code == code
    assert desk.ask("ListProvisionedModelThroughputs") == {"provisionedModelSummaries": []}


def test_tag_when_sum_passes_fifty_is_refused_with_the_resource_named(desk):
    """Old and new tags count together; the error names the resource as AWS's shape has it."""
    arn = desk.provision(tags=[{"key": str(n), "value": ""} for n in range(50)])
    with pytest.raises(ServiceError) as caught:
        desk.ask("TagResource", resourceARN=arn, tags=[{"key": "one more", "value": ""}])
    assert caught.value.code == "TooManyTagsException"
    assert caught.value.members == {"resourceName": arn}
