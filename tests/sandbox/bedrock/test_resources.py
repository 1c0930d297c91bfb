"""What all resources share: pages of lists, and tags."""

import pytest

from haikuft.sandbox.bedrock.records import utc_now
from haikuft.sandbox.http.messages import ServiceError


def page(desk, **parameters):
    """(names, token) of one page of throughputs."""
    found = desk.ask("ListProvisionedModelThroughputs", **parameters)
    names = [summary["provisionedModelName"] for summary in found["provisionedModelSummaries"]]
    return names, found.get("nextToken")


@pytest.fixture
def five(desk):
    """Five throughputs, one a second."""
    desk.change(model_units_quota=100)
    for n in range(5):
        desk.provision(f"pt-{n}")
        desk.pass_time(seconds=1)
    return desk


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_pages_together_are_the_whole_list(five, order):
    """Two, two and one, in order, and no token after the last."""
    names, token = page(five, maxResults=2, sortOrder=order)
    rounds = 1
    while token:
        more, token = page(five, maxResults=2, sortOrder=order, nextToken=token)
        names += more
        rounds += 1
    assert names == sorted(names, reverse=order == "Descending")
    assert (len(names), rounds) == (5, 3)


def test_next_page_when_things_came_and_went_shows_each_once(five):
    """A new record does not push an old one onto the next page again."""
    first, token = page(five, maxResults=2)
    five.provision("pt-new")
    five.ask("DeleteProvisionedModelThroughput", provisionedModelId=first[1])
    rest, _ = page(five, maxResults=9, nextToken=token)
    assert first + rest == ["pt-4", "pt-3", "pt-2", "pt-1", "pt-0"]


def test_full_last_page_has_no_token(five):
    """A page that ends the list exactly promises no further one."""
    assert page(five, maxResults=5)[1] is None


def test_page_when_created_between_shows_those(five):
    """Both creationTimeAfter and creationTimeBefore exclude their own moment."""
    created = [
        five.ask("GetProvisionedModelThroughput", provisionedModelId=f"pt-{n}")["creationTime"]
        for n in range(5)
    ]
    names, _ = page(five, creationTimeAfter=created[0], creationTimeBefore=created[3])
    assert names == ["pt-2", "pt-1"]


def test_time_of_the_sandbox_has_the_precision_that_goes_over_the_wire():
    """A creation time from a response, sent as creationTimeAfter, excludes that record."""
    assert {utc_now().microsecond % 1000 for _ in range(20)} == {0}


@pytest.mark.parametrize("token", ["abc", "%%%", "bm90IG9uZSBvZiBvdXJz", "é"])
def test_page_when_token_is_not_ours_is_refused(five, token):
    """A token that no list returned is a ValidationException, not an internal error."""
    with pytest.raises(ServiceError) as caught:
        page(five, nextToken=token)
    assert caught.value.code == "ValidationException"


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
