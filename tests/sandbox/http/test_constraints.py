"""What AWS refuses before an operation sees it, in AWS's words."""

from typing import Any

import pytest

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.http.rest_json import load_service, validate

JOB: dict[str, Any] = {
    "jobName": "first",
    "customModelName": "first",
    "roleArn": "arn:aws:iam::123456789012:role/AmazonBedrock-haikuft-first",
    "baseModelIdentifier": "anthropic.claude-3-haiku-20240307-v1:0:200k",
    "trainingDataConfig": {"s3Uri": "s3://bucket/training/train.jsonl"},
    "outputDataConfig": {"s3Uri": "s3://bucket/output/"},
}


def refusal(operation: str, parameters: dict[str, Any], service: str = "bedrock") -> str:
    """Return the message of the refusal."""
    with pytest.raises(ServiceError) as caught:
        validate(load_service(service).operation_model(operation), parameters)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_validate_when_all_constraints_hold_then_passes() -> None:
    """A request as the notebooks send it goes through."""
    validate(load_service("bedrock").operation_model("CreateModelCustomizationJob"), JOB)


def test_validate_when_a_name_breaks_its_pattern_then_says_so_as_aws_does() -> None:
    """Value, member and constraint stand in one sentence."""
    message = refusal("CreateModelCustomizationJob", JOB | {"jobName": "a_b"})
    assert message.startswith(
        "1 validation error detected: Value 'a_b' at 'jobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: "
    )


def test_validate_when_several_members_are_wrong_then_all_are_named() -> None:
    """One refusal names every fault, nested ones by their path."""
    wrong = {
        "customModelName": "a.b",
        "trainingDataConfig": {"s3Uri": "s3://bucket/a b.jsonl"},
        "jobTags": [{"key": "good", "value": ""}, {"key": "", "value": ""}],
        "customizationType": "FINE-TUNING",
    }
    message = refusal("CreateModelCustomizationJob", JOB | wrong)
    assert message.startswith("4 validation errors detected: ")
    for place in ("customModelName", "trainingDataConfig.s3Uri", "jobTags.2.member.key"):
        assert f"at '{place}' failed" in message
    assert "Member must satisfy enum value set: [FINE_TUNING, " in message


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [
        ("jobName", "a" * 64, "length less than or equal to 63"),
        ("jobName", "", "length greater than or equal to 1"),
        (
            "vpcConfig",
            {"subnetIds": [], "securityGroupIds": ["sg-1"]},
            "greater than or equal to 1",
        ),
        (
            "vpcConfig",
            {"subnetIds": ["a b"], "securityGroupIds": ["sg-1"]},
            "Member must satisfy con",
        ),
        ("vpcConfig", {"subnetIds": ["subnet-1"]}, "null at 'vpcConfig.securityGroupIds'"),
        ("customizationConfig", {}, "Exactly one member of the union"),
    ],
)
def test_validate_when_length_list_or_union_is_wrong_then_names_the_rule(
    member: str, value: Any, rule: str
) -> None:
    """Lengths, lists of plain values, nested required members, unions."""
    assert rule in refusal("CreateModelCustomizationJob", JOB | {member: value})


def test_validate_when_required_members_are_missing_then_they_are_null() -> None:
    """A missing member is null to AWS, and must not be."""
    message = refusal("CreateModelCustomizationJob", {})
    assert message.startswith("6 validation errors detected: Value null at 'jobName' failed")
    assert message.count("Member must not be null") == 6


def test_validate_when_a_number_is_out_of_range_then_names_the_bound() -> None:
    """The SDK checks minimums before it sends, but no maximum."""
    assert "value less than or equal to 1000" in refusal("ListCustomModels", {"maxResults": 1001})


def test_validate_when_value_is_sensitive_then_it_is_not_repeated() -> None:
    """A value that AWS counts as sensitive does not come back in a message."""
    wrong = {"modelId": "anthropic.claude-3-haiku-20240307-v1:0", "body": b"s" * 25_000_001}
    message = refusal("InvokeModel", wrong, "bedrock-runtime")
    assert "Value at 'body' failed" in message
    assert "sss" not in message


def test_validate_when_name_is_made_to_confuse_a_pattern_then_answers_at_once() -> None:
    """Python tries the pattern of a job's name in 2 to the 62 ways, were it taken as it is."""
    assert "regular expression" in refusal(
        "CreateModelCustomizationJob", JOB | {"jobName": "a" + "-" * 61 + "_"}
    )
    trap = {"jobName": "a" * 30 + "-" * 32 + "_"}
    assert "regular expression" in refusal("CreateModelInvocationJob", trap)
    name = "a--b.c+d-e--f"
    validate(
        load_service("bedrock").operation_model("CreateModelCustomizationJob"),
        JOB | {"jobName": name},
    )


@pytest.mark.parametrize("task_type", ["General", "Poetry"])
def test_validate_when_a_task_type_is_general_then_passes_though_the_model_lacks_it(
    task_type: str,
) -> None:
    """AWS's guide sends General with a judge; nothing else outside an enum is taken."""
    dataset = {"name": "test", "datasetLocation": {"s3Uri": "s3://bucket/prompts.jsonl"}}
    config = {"taskType": task_type, "dataset": dataset, "metricNames": ["Builtin.Correctness"]}
    asked = {
        "jobName": "first",
        "roleArn": JOB["roleArn"],
        "evaluationConfig": {"automated": {"datasetMetricConfigs": [config]}},
        "inferenceConfig": {"models": []},
        "outputDataConfig": {"s3Uri": "s3://bucket/output/"},
    }
    named = "datasetMetricConfigs.1.member.taskType" in refusal("CreateEvaluationJob", asked)
    assert named == (task_type == "Poetry")
