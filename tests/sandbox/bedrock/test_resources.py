"""Pages: nothing twice, nothing missed, whatever happens between two of them."""

import pytest

from haikuft.sandbox.http.routing import ServiceError


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


def test_creation_time_has_the_precision_that_goes_over_the_wire(desk):
    """What a client was told, given back as creationTimeAfter, excludes that very record."""
    desk.time = desk.time.replace(microsecond=123_456)
    desk.provision()
    throughput = desk.ask("GetProvisionedModelThroughput", provisionedModelId="pt-1")
    assert throughput["creationTime"].microsecond == 123_000


@pytest.mark.parametrize("token", ["abc", "%%%", "bm90IG9uZSBvZiBvdXJz", "é"])
def test_page_when_token_is_not_ours_is_refused(five, token):
    """A token nobody gave out is a ValidationException, not a crash."""
    with pytest.raises(ServiceError) as caught:
        page(five, nextToken=token)
    assert caught.value.code == "ValidationException"
