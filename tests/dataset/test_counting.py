"""CountTokens: what Bedrock counts takes the place of the estimate, where it is offered."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.stub import ANY, Stubber

from haikuft.base_models import DEFAULT
from haikuft.dataset import TokenRange, count_tokens, estimate_total_tokens, refine_tokens
from haikuft.errors import DataError, HaikuftError


@pytest.fixture
def runtime():
    """Make a client that reaches nobody."""
    return boto3.client(
        "bedrock-runtime",
        region_name="us-west-2",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )


class Counter:
    """A stand-in that counts a fixed number of tokens for each byte, and remembers the bodies."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.bodies = []

    def count_tokens(self, *, modelId, input):  # noqa: N803 - AWS's names
        """Answer as Bedrock does."""
        self.bodies.append(json.loads(input["invokeModel"]["body"]))
        return {"inputTokens": self.tokens.pop(0)}


def test_count_when_asked_then_bedrock_gets_the_whole_record_and_its_answer_counts(
    runtime, make_record
):
    """The request is one that botocore's model of CountTokens accepts."""
    with Stubber(runtime) as stub:
        stub.add_response(
            "count_tokens",
            {"inputTokens": 17},
            {"modelId": DEFAULT.inference_id, "input": {"invokeModel": {"body": ANY}}},
        )
        assert count_tokens(runtime, DEFAULT.inference_id, make_record(system="Be brief.")) == 17


def test_count_when_the_record_has_a_system_prompt_then_it_is_counted_too(make_record):
    """Training reads all of a record, so all of it is sent."""
    counter = Counter(5)
    record = make_record(system="Be brief.")
    count_tokens(counter, "a.model", record)
    assert {key: counter.bodies[0][key] for key in record} == record


def test_count_when_the_model_has_no_counttokens_then_error_holds_awss_words(runtime, make_record):
    """Where it is not offered one learns so, and keeps the estimate."""
    with Stubber(runtime) as stub:
        stub.add_client_error(
            "count_tokens",
            service_error_code="ValidationException",
            service_message="The provided model doesn't support counting tokens.",
        )
        with pytest.raises(HaikuftError, match=r"counting tokens with .*doesn't support counting"):
            count_tokens(runtime, "a.model", make_record())


def test_refine_when_every_record_is_counted_then_the_range_is_one_number(make_record):
    """Nothing is left to estimate."""
    assert refine_tokens(Counter(10, 11), "a.model", [make_record(1), make_record(2)]) == (
        TokenRange(21, 21, 21)
    )


def test_refine_when_some_are_counted_then_the_others_are_taken_to_be_alike(make_record):
    """The leanest and the densest of those counted bound the rest."""
    records = [make_record(n) for n in range(10)]
    estimate = estimate_total_tokens(records).likely
    refined = refine_tokens(Counter(8, 12), "a.model", records, max_records=2)
    one = estimate_total_tokens(records[:1]).likely
    assert refined.low == int(estimate * 8 / one)
    assert refined.likely == round(estimate * 10 / one)
    assert refined.high == pytest.approx(estimate * 12 / one, abs=1)


@pytest.mark.parametrize("number", [0, 1])
def test_refine_when_there_is_nothing_to_count_then_error(number, make_record):
    """Neither of no records nor by counting none."""
    with pytest.raises(DataError, match="no records to count"):
        refine_tokens(Counter(), "a.model", [make_record()] * number, max_records=0)
