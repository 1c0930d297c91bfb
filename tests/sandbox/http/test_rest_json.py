"""What botocore writes the sandbox reads, and what the sandbox writes botocore reads."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from haikuft.sandbox.http import rest_json
from haikuft.sandbox.http.messages import EXTRA_HEADERS, ServiceError
from haikuft.sandbox.http.rest_json import find_operation, load_service

ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)


def send(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Let botocore write a request, and read it."""
    model = load_service(service).operation_model(operation)
    request = create_serializer("rest-json").serialize_to_request(parameters, model)
    route = find_operation(request["method"], request["url_path"])
    assert route.model.name == operation
    body = request["body"]
    return rest_json.parse(
        route.model,
        labels=route.labels,
        query=urlencode(request["query_string"], doseq=True),
        headers=request["headers"],
        body=body if isinstance(body, bytes) else body.encode("utf-8"),
    )


def receive(service: str, operation: str, result: dict[str, Any]) -> dict[str, Any]:
    """Write a result, and let botocore read it."""
    model = load_service(service).operation_model(operation)
    answer = rest_json.serialize(model, result, "request-1")
    parts = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    return dict(create_parser("rest-json").parse(parts, model.output_shape))


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("bedrock", "GetProvisionedModelThroughput", {"provisionedModelId": ARN}),
        (
            "bedrock",
            "ListModelCustomizationJobs",
            {
                "creationTimeAfter": datetime(2026, 11, 21, 12, 30, 1, tzinfo=UTC),
                "nameContains": "a+b & c",
                "maxResults": 5,
            },
        ),
        ("bedrock", "ListCustomModels", {"isOwned": True}),
        (
            "bedrock",
            "CreateModelCustomizationJob",
            {
                "jobName": "ünïcode",
                "customModelName": "m",
                "roleArn": "r",
                "clientRequestToken": "t",
                "baseModelIdentifier": "b",
                "hyperParameters": {"epochCount": "2"},
                "trainingDataConfig": {"s3Uri": "s3://bucket/train.jsonl"},
                "validationDataConfig": {"validators": [{"s3Uri": "s3://bucket/v.jsonl"}]},
                "outputDataConfig": {"s3Uri": "s3://bucket/output/"},
            },
        ),
        (
            "bedrock-runtime",
            "InvokeModel",
            {"modelId": ARN, "body": b'{"max_tokens": 1}', "accept": "application/json"},
        ),
        (
            "bedrock-runtime",
            "Converse",
            {
                "modelId": ARN,
                "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
                "inferenceConfig": {"temperature": 0.5, "maxTokens": 10},
                "additionalModelRequestFields": {"top_k": 5, "deep": [{"a": None}]},
            },
        ),
    ],
)
def test_parse_when_botocore_wrote_the_request_then_the_parameters_come_back(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """Labels, query values, timestamps, payloads and documents survive the wire."""
    assert send(service, operation, parameters).items() >= parameters.items()


def test_parse_when_body_has_unknown_or_null_members_then_they_are_not_there() -> None:
    """AWS ignores what its model does not have; null is absence."""
    model = load_service("bedrock").operation_model("TagResource")
    body = b'{"resourceARN": "a", "tags": null, "surprise": 1}'
    found = rest_json.parse(model, labels={}, query="", headers={}, body=body)
    assert found == {"resourceARN": "a"}


@pytest.mark.parametrize(
    ("operation", "query", "body", "message"),
    [
        ("TagResource", "", b"{", "not JSON"),
        ("TagResource", "", b"[]", "START_ARRAY can not be converted to a Structure"),
        ("TagResource", "", b'{"resourceARN": 1}', "NUMBER_VALUE can not be converted to a String"),
        ("TagResource", "", b'{"tags": "a"}', "STRING_VALUE can not be converted to a List"),
        ("TagResource", "", b"[" * 100_000, "not JSON"),
        (
            "CreateProvisionedModelThroughput",
            "",
            b'{"modelUnits": 1.5}',
            "NUMBER_VALUE can not be converted to a Integer",
        ),
        (
            "CreateProvisionedModelThroughput",
            "",
            b'{"modelUnits": 1e999}',
            "NUMBER_VALUE can not be converted to a Integer",
        ),
        ("Converse", "", b'{"inferenceConfig": {"temperature": 1%s}}' % (b"0" * 400), "a Float"),
        ("ListCustomModels", "creationTimeAfter=-1e18", b"", "'-1e18' is not a timestamp"),
        ("ListCustomModels", "maxResults=many", b"", "'many' is not a integer"),
        ("ListCustomModels", "isOwned=perhaps", b"", "'perhaps' is not a boolean"),
        ("ListCustomModels", "creationTimeAfter=soon", b"", "'soon' is not a timestamp"),
    ],
)
def test_parse_when_a_part_has_the_wrong_type_then_refuses_it(
    operation: str, query: str, body: bytes, message: str
) -> None:
    """A request that AWS could not read is a SerializationException, never a traceback."""
    service = "bedrock-runtime" if operation == "Converse" else "bedrock"
    model = load_service(service).operation_model(operation)
    labels = {"modelId": "m"}
    with pytest.raises(ServiceError, match=message) as caught:
        rest_json.parse(model, labels=labels, query=query, headers={}, body=body)
    assert caught.value.code == "SerializationException"


def test_serialize_when_result_has_timestamps_then_botocore_reads_the_same_moment() -> None:
    """Times travel as ISO 8601 in UTC, whatever zone the handler had."""
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    result = {"modelArn": ARN, "modelName": "m", "creationTime": local, "jobName": None}
    found = receive("bedrock", "GetCustomModel", result)
    assert found["creationTime"] == NOON
    assert "jobName" not in found


def test_serialize_when_result_has_a_payload_and_headers_then_both_arrive() -> None:
    """InvokeModel's body goes out as it is, further headers beside it."""
    extra = {"x-amzn-bedrock-input-token-count": "7"}
    result = {"body": b'{"a": 1}', "contentType": "application/json", EXTRA_HEADERS: extra}
    model = load_service("bedrock-runtime").operation_model("InvokeModel")
    answer = rest_json.serialize(model, result, "request-1")
    assert (answer.status, answer.body) == (200, b'{"a": 1}')
    assert answer.headers == {
        "Content-Type": "application/json",
        "x-amzn-RequestId": "request-1",
        **extra,
    }


def test_serialize_when_operation_creates_then_the_status_is_aws_own() -> None:
    """The status comes from the service model: 201 for a new job."""
    model = load_service("bedrock").operation_model("CreateModelCustomizationJob")
    assert rest_json.serialize(model, {"jobArn": "a"}, "r").status == 201


@pytest.mark.parametrize("result", [{"jobArn": 1}, {"jobarn": "a"}, {}])
def test_serialize_when_result_does_not_fit_the_model_then_raises(result: dict[str, Any]) -> None:
    """A handler's mistake is found here, not in a client."""
    model = load_service("bedrock").operation_model("CreateModelCustomizationJob")
    with pytest.raises(ValueError, match="CreateModelCustomizationJob"):
        rest_json.serialize(model, result, "r")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ValidationException", 400),
        ("ResourceNotFoundException", 404),
        ("ModelNotReadyException", 429),
        ("ConflictException", 400),
        ("UnknownOperationException", 404),
        ("SerializationException", 400),
    ],
)
def test_serialize_error_when_code_is_declared_then_the_status_is_aws_own(
    code: str, status: int
) -> None:
    """Code in the header, message and further members in the body."""
    error = ServiceError(code, "Why not.", resourceName="m")
    answer = rest_json.serialize_error(error, "r")
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (status, code)
    assert json.loads(answer.body) == {"message": "Why not.", "resourceName": "m"}
