"""What AWS holds under a run's name, and whose it is."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.errors import AccessError, ConflictError
from haikuft.runs.lookup import (
    JOB,
    MODEL,
    THROUGHPUT,
    adopt,
    check_own,
    find_adoptable,
    find_own,
    find_resources,
    judge,
)
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import start_serving

NewRun = Callable[..., Run]
STRANGER = "f" * 16


def buy(run: Run, name: str, **tags: str) -> str:
    """Buy throughput with these tags; "_" stands for the colon."""
    marks = {key.replace("_", ":"): value for key, value in tags.items()}
    bedrock = run.connection.client("bedrock")
    return start_serving(bedrock, "provisioned_throughput", name, model_arn=HAIKU.id, tags=marks)


class Denying:
    """A Bedrock client to which one operation is denied."""

    def __init__(self, client: Any, operation: str) -> None:
        self._client, self._operation = client, operation

    def __getattr__(self, name: str) -> Any:
        """Give the operation, or one that is denied."""
        return self._deny if name == self._operation else getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        """Give the pages, unless they are denied."""
        return self._deny() if name == self._operation else self._client.get_paginator(name)

    def _deny(self, **_: Any) -> Any:
        said: Any = {"Error": {"Code": "AccessDeniedException", "Message": "No."}}
        raise ClientError(said, self._operation)


@pytest.mark.parametrize(
    ("tags", "claim"),
    [
        ({"haikuft_run": "first", "haikuft_owner": "0123456789abcdef"}, "ours"),
        ({"haikuft_run": "first", "haikuft_owner": STRANGER}, "other"),
        ({"haikuft_run": "first"}, "unmarked"),
        ({}, "unmarked"),
        ({"haikuft_run": "first-b", "haikuft_owner": STRANGER}, "other"),
    ],
)
def test_find_resources_when_something_has_our_name_then_its_tags_tell_whose_it_is(
    new_run: NewRun, tags: dict[str, str], claim: str
) -> None:
    """A name alone is no proof, and only what is ours counts as such."""
    run = new_run(model_units_quota=9)
    arn = buy(run, "haikuft-first", **tags)
    (found,) = find_resources(run, THROUGHPUT)
    assert (found.arn, found.name, found.claim) == (arn, "haikuft-first", claim)
    assert [one.arn for one in find_own(run, THROUGHPUT)] == [arn] * (claim == "ours")
    if claim == "ours":
        check_own(run, THROUGHPUT, arn)
    else:
        with pytest.raises(ConflictError, match="It is left alone"):
            check_own(run, THROUGHPUT, arn)


def test_find_resources_when_the_record_names_it_then_it_needs_no_owner_id(new_run: NewRun) -> None:
    """Unless a tag contradicts; what is gone is left out."""
    run = new_run(model_units_quota=9)
    for tags, claim in (({}, "ours"), ({"haikuft_owner": STRANGER}, "other")):
        arn = buy(run, f"renamed-{claim}", **tags)
        named = replace(run, record=replace(run.record, throughput_arn=arn))
        assert [one.claim for one in find_resources(named, THROUGHPUT)] == [claim]
    absent = f"{arn[:-4]}gone"
    gone = replace(run, record=replace(run.record, throughput_arn=absent))
    assert find_resources(gone, THROUGHPUT) == []
    assert judge(run, THROUGHPUT, absent) is None


@pytest.mark.parametrize(
    "operation", ["list_provisioned_model_throughputs", "list_tags_for_resource"]
)
def test_find_own_when_we_may_not_look_then_nothing_can_be_started(
    new_run: NewRun, operation: str
) -> None:
    """A refusal to look is never taken for an empty account."""
    run = new_run()
    arn = buy(run, "haikuft-first", haikuft_run="first", haikuft_owner="0123456789abcdef")
    bedrock = Denying(run.connection.client("bedrock"), operation)
    connection: Any = SimpleNamespace(client=lambda service: bedrock)
    denied = replace(run, connection=connection)
    with pytest.raises(AccessError):
        find_own(denied, THROUGHPUT)
    if operation == "list_tags_for_resource":
        with pytest.raises(AccessError, match="tags may not be read"):
            check_own(denied, THROUGHPUT, arn)


def test_find_own_when_one_may_be_ours_by_its_name_then_nothing_is_started_beside_it(
    new_run: NewRun,
) -> None:
    """A record of an earlier version names it, and the process died before its ARN was written."""
    run = new_run()
    buy(run, "haikuft-first", haikuft_run="first")
    named = replace(run, record=replace(run.record, throughput_name="haikuft-first"))
    with pytest.raises(ConflictError, match="add the tag haikuft:owner = 0123456789abcdef"):
        find_own(named, THROUGHPUT)


def test_adopt_when_the_record_is_old_then_what_it_names_is_marked_once(tuned_run: NewRun) -> None:
    """Job and model of the record are found by ARN, shown, and given the owner id."""
    run = tuned_run()
    bedrock: Any = run.connection.client("bedrock")
    for arn in (run.record.job_arn, run.record.custom_model_arn):
        bedrock.untag_resource(resourceARN=arn, tagKeys=["haikuft:owner"])
    found = find_adoptable(run)
    assert [one.kind for one in found] == [JOB, MODEL]
    adopt(run, found)
    assert find_adoptable(run) == []
    tags = bedrock.list_tags_for_resource(resourceARN=run.record.custom_model_arn)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == run.tags
