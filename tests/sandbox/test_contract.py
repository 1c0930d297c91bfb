"""Every operation of Bedrock, served or not, against AWS's own service models.

An operation that the sandbox serves has a row in ROWS: its smallest valid call. From the rows and
from botocore's models follow the calls that must be answered, the constraints that must hold, and
the errors that must arrive as AWS declares them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.eventstream import EventStreamError
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from haikuft.sandbox.http import rest_json
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.http.rest_json import SERVICES, load_service
from haikuft.sandbox.jobs.customization_runner import CustomizationRunner
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.operations import Bedrock, open_plane
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.runtime.invocation import Runtime
from haikuft.sandbox.settings import SandboxSettings

PLAIN = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU = f"{PLAIN}:200k"
BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Where is my order?"}],
}
TURN = {"role": "user", "content": [{"text": "Where is my order?"}]}
TAG = {"key": "k", "value": "v"}

EVALUATION = {
    "evaluationConfig": {
        "automated": {
            "datasetMetricConfigs": [
                {
                    "taskType": "Classification",
                    "dataset": {
                        "name": "test",
                        "datasetLocation": {"s3Uri": "s3://data/prompts.jsonl"},
                    },
                    "metricNames": ["Builtin.Accuracy"],
                }
            ]
        }
    },
    "inferenceConfig": {"models": [{"bedrockModel": {"modelIdentifier": PLAIN}}]},
    "outputDataConfig": {"s3Uri": "s3://data/output/"},
}

# operation -> its smallest valid call in a world where there is one of everything
ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "ListFoundationModels": lambda world: {},
    "GetFoundationModel": lambda world: {"modelIdentifier": PLAIN},
    "GetFoundationModelAvailability": lambda world: {"modelId": PLAIN},
    "CreateModelCustomizationJob": lambda world: {
        "jobName": "made",
        "customModelName": "made",
        "roleArn": "arn:aws:iam::123456789012:role/AmazonBedrock-test",
        "baseModelIdentifier": HAIKU,
        "trainingDataConfig": {"s3Uri": "s3://data/training/train.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://data/output/"},
    },
    "GetModelCustomizationJob": lambda world: {"jobIdentifier": world.job},
    "ListModelCustomizationJobs": lambda world: {},
    "StopModelCustomizationJob": lambda world: {"jobIdentifier": world.running_job},
    "GetCustomModel": lambda world: {"modelIdentifier": world.model},
    "ListCustomModels": lambda world: {},
    "DeleteCustomModel": lambda world: {"modelIdentifier": world.spare_model},
    "CreateProvisionedModelThroughput": lambda world: {
        "modelUnits": 1,
        "provisionedModelName": "made",
        "modelId": world.model,
    },
    "GetProvisionedModelThroughput": lambda world: {"provisionedModelId": world.throughput},
    "ListProvisionedModelThroughputs": lambda world: {},
    "UpdateProvisionedModelThroughput": lambda world: {"provisionedModelId": world.throughput},
    "TagResource": lambda world: {"resourceARN": world.throughput, "tags": [TAG]},
    "UntagResource": lambda world: {"resourceARN": world.throughput, "tagKeys": ["k"]},
    "ListTagsForResource": lambda world: {"resourceARN": world.throughput},
    "InvokeModel": lambda world: {"modelId": world.throughput, "body": json.dumps(BODY)},
    "Converse": lambda world: {"modelId": world.throughput, "messages": [TURN]},
    "InvokeModelWithResponseStream": lambda world: {
        "modelId": world.throughput,
        "body": json.dumps(BODY),
    },
    "ConverseStream": lambda world: {"modelId": world.throughput, "messages": [TURN]},
    "CountTokens": lambda world: {
        "modelId": PLAIN,
        "input": {"invokeModel": {"body": json.dumps(BODY)}},
    },
    "CreateCustomModelDeployment": lambda world: {
        "modelDeploymentName": "made",
        "modelArn": world.deployable,
    },
    "GetCustomModelDeployment": lambda world: {"customModelDeploymentIdentifier": world.deployment},
    "ListCustomModelDeployments": lambda world: {},
    "UpdateCustomModelDeployment": lambda world: {
        "customModelDeploymentIdentifier": world.deployment,
        "modelArn": world.deployable,
    },
    "DeleteCustomModelDeployment": lambda world: {
        "customModelDeploymentIdentifier": world.spare_deployment
    },
    "CreateEvaluationJob": lambda world: {
        "jobName": "made",
        "roleArn": "arn:aws:iam::123456789012:role/AmazonBedrock-test",
        **EVALUATION,
    },
    "GetEvaluationJob": lambda world: {"jobIdentifier": world.evaluation},
    "ListEvaluationJobs": lambda world: {},
    "StopEvaluationJob": lambda world: {"jobIdentifier": world.running_evaluation},
    # At the end, because what it deletes the rows above ask for.
    "DeleteProvisionedModelThroughput": lambda world: {"provisionedModelId": world.throughput},
}
MODELS = {
    name: (service, load_service(service).operation_model(name))
    for service in SERVICES
    for name in load_service(service).operation_names
}
ERRORS = [
    (operation, shape.name) for operation in ROWS for shape in MODELS[operation][1].error_shapes
]


class Nowhere:
    """Stands for a world where a handler is not to be reached: ARNs of the right shape."""

    _head = "arn:aws:bedrock:us-west-2:123456789012"
    job = running_job = f"{_head}:model-customization-job/{HAIKU}/abcdefghijkl"
    model = spare_model = f"{_head}:custom-model/{HAIKU}/abcdefghijkl"
    throughput = f"{_head}:provisioned-model/abcdefghijkl"
    deployable = model
    deployment = spare_deployment = f"{_head}:custom-model-deployment/abcdefghijkl"
    evaluation = running_evaluation = f"{_head}:evaluation-job/abcdefghijkl"


def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call an operation through botocore's own client, by AWS's name."""
    methods = {aws: ours for ours, aws in client.meta.method_to_api_mapping.items()}
    answer: dict[str, Any] = getattr(client, methods[operation])(**parameters)
    return answer


def write_request(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Write a request as botocore would, were it not to look at the parameters before."""
    model = MODELS[operation][1]
    written = create_serializer(model.service_model.protocol, include_validation=False)
    request: Any = written.serialize_to_request(dict(parameters), model)
    body = request["body"] or b""
    return {
        "REQUEST_METHOD": request["method"],
        "RAW_URI": request["url_path"],
        "QUERY_STRING": urlencode(request["query_string"], doseq=True),
        "CONTENT_TYPE": "application/json",
        "body": body.encode() if isinstance(body, str) else body,
        **{
            "HTTP_" + name.upper().replace("-", "_"): str(value)
            for name, value in request["headers"].items()
            if name != "Content-Type"
        },
    }


def test_rows_when_an_operation_is_served_then_it_has_one(tmp_path: Any) -> None:
    """Each handler has its row, and is an operation of AWS's."""
    database = Database(tmp_path / DATABASE_FILE)
    plane = open_plane(None, SandboxSettings, tmp_path, database=database)  # type: ignore[arg-type]
    runtime = Runtime(plane)
    evaluations = EvaluationRunner(plane, runtime.converse)
    served = {*Bedrock(plane, CustomizationRunner(plane), evaluations, runtime).handlers}
    assert served == set(ROWS)
    assert served <= set(MODELS)


LISTS = [
    name
    for name in ROWS
    if MODELS[name][1].input_shape and "nextToken" in MODELS[name][1].input_shape.members
]


@pytest.mark.parametrize("operation", LISTS)
def test_list_when_asked_page_by_page_then_gives_each_thing_once_in_either_order(
    world: Any, local_sandbox: Any, operation: str
) -> None:
    """Pages of one follow from token to token; Ascending is the reverse of the usual order."""
    client = local_sandbox(world.handlers).client(MODELS[operation][0])

    def read(**asked: Any) -> list[Any]:
        lists = [v for v in call(client, operation, asked).values() if isinstance(v, list)]
        return lists[0] if lists else []  # an empty list that AWS's shape forbids is left out

    whole = read()
    assert read(sortOrder="Descending", sortBy="CreationTime") == whole
    assert read(sortOrder="Ascending", sortBy="CreationTime") == whole[::-1]
    for order, expected in (("Descending", whole), ("Ascending", whole[::-1])):
        asked: dict[str, Any] = {"maxResults": 1, "sortOrder": order}
        found, pages = [], 0
        while True:
            answer = call(client, operation, asked)
            found += next(value for value in answer.values() if isinstance(value, list))
            pages += 1
            if "nextToken" not in answer:
                break
            asked["nextToken"] = answer["nextToken"]
        assert (found, pages) == (expected, max(1, len(whole)))
    members = MODELS[operation][1].input_shape.members
    (after,) = (name for name in ("creationTimeAfter", "createdAfter") if name in members)
    (before,) = (name for name in ("creationTimeBefore", "createdBefore") if name in members)
    assert read(**{after: datetime(2000, 1, 1, tzinfo=UTC)}) == whole
    assert read(**{before: datetime(2000, 1, 1, tzinfo=UTC)}) == []
    assert read(nameContains="no-such-name") == []
    with pytest.raises(client.exceptions.ValidationException, match="nextToken is invalid"):
        read(nextToken="nonsense")


@pytest.mark.parametrize("operation", ROWS)
def test_operation_when_call_is_the_smallest_then_answer_has_aws_shape(
    world: Any, local_sandbox: Any, operation: str
) -> None:
    """The answer goes back through botocore, which finds in it what AWS promises, and no more."""
    service, model = MODELS[operation]
    client = local_sandbox(world.handlers).client(service)
    answer = call(client, operation, ROWS[operation](world))
    told = answer.pop("ResponseMetadata")
    assert told["HTTPStatusCode"] == model.http.get("responseCode", 200)
    assert len(told["RequestId"]) == 36
    for name, value in answer.items():
        if hasattr(value, "read"):
            answer[name] = value.read()
        elif hasattr(value, "close"):  # an event stream
            events = list(value)
            assert events
            answer[name] = {kind: held for event in events for kind, held in event.items()}
    if model.output_shape is None:
        assert answer == {}
    else:
        assert set(answer) <= set(model.output_shape.members)
        report = ParamValidator().validate(answer, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        # Patterns of ARNs and names, enums and lengths hold for answers as they do for requests.
        rest_json.validate(SimpleNamespace(input_shape=model.output_shape), answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(("operation", "code"), ERRORS)
def test_error_when_operation_declares_it_then_botocore_raises_it_with_its_status(
    local_sandbox: Any, operation: str, code: str
) -> None:
    """Each declared error has AWS's HTTP status and arrives as the exception that AWS models."""

    def refuse(call: Any) -> dict[str, Any]:
        raise ServiceError(code, "For a test.")

    service, model = MODELS[operation]
    client = local_sandbox({operation: refuse}).client(service)
    with pytest.raises(getattr(client.exceptions, code)) as caught:
        call(client, operation, ROWS[operation](Nowhere))
    shape = model.service_model.shape_for(code)
    status = caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert status == shape.metadata["error"]["httpStatusCode"]
    assert caught.value.response["Error"] == {"Code": code, "Message": "For a test."}
    assert not isinstance(caught.value, EventStreamError)


@pytest.mark.parametrize("operation", [name for name in MODELS if name not in ROWS])
def test_operation_when_not_served_then_the_answer_names_it(world: Any, operation: str) -> None:
    """Every other operation of AWS's models is refused by its name, with a 4xx and an id."""
    service, model = MODELS[operation]
    path = re.sub(r"\{[^}]*\}", "x", model.http["requestUri"]).partition("?")[0]
    status, headers, body = world.ask(
        {"REQUEST_METHOD": model.http["method"], "RAW_URI": path, "body": b"{}"}
    )
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    message = json.loads(body)["message"]
    assert message == f"The sandbox does not serve {operation} of {service}."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/nothing"),
        ("PUT", "/custom-models"),
        ("POST", "/model/x"),
        ("POST", "/model//invoke"),
        ("POST", "/model/%/invoke/more"),
        ("GET", "//foundation-models"),
        ("GET", "/foundation-models/../custom-models"),
        ("BREW", "/foundation-models"),
        ("GET", "/é%ff%00"),
    ],
)
def test_path_when_bedrock_has_none_such_then_404_that_names_it(
    world: Any, method: str, path: str
) -> None:
    """An unknown path is AWS's own error, not a page of HTML."""
    status, headers, body = world.ask({"REQUEST_METHOD": method, "RAW_URI": path, "body": b""})
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
    assert f"Bedrock has no {method} " in json.loads(body)["message"]


def break_members(
    shape: Any, value: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Break one constraint at a time: (place, start of AWS's rule, the structure so broken)."""
    for name, member in shape.members.items():
        place = f"{path}.{name}" if path else name
        others = {key: held for key, held in value.items() if key != name}
        label = member.serialization.get("location") == "uri"
        if name in shape.required_members and not label:
            yield place, "Member must not be null", others
        if member.type_name == "structure" and name in value:
            for where, rule, broken in break_members(member, value[name], place):
                yield where, rule, others | {name: broken}
        for rule, broken in break_value(member, value.get(name)):
            if broken != "" or not label:  # an empty label is another path
                yield place, rule, others | {name: broken}


def break_value(shape: Any, usual: Any) -> Iterator[tuple[str, Any]]:
    """Give values that break each rule of a shape, with the start of the rule in AWS's words."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in ("integer", "long"):
        if high is not None:
            yield f"Member must have value less than or equal to {high}", high + 1
        if low is not None:
            yield f"Member must have value greater than or equal to {low}", low - 1
    if shape.type_name == "list" and usual:
        if high is not None:
            yield f"Member must have length less than or equal to {high}", usual * (high + 1)
        if low:
            yield f"Member must have length greater than or equal to {low}", []
    if shape.type_name != "string":
        return
    if high is not None:
        yield f"Member must have length less than or equal to {high}", "a" * (high + 1)
    if low:
        yield f"Member must have length greater than or equal to {low}", ""
    if shape.metadata.get("enum"):
        yield "Member must satisfy enum value set: [", "no-such"
    if pattern := shape.metadata.get("pattern"):
        wrong = [text for text in (" ", "_", "a b", "é") if not re.fullmatch(pattern, text)]
        for text in wrong[:1]:
            yield f"Member must satisfy regular expression pattern: {pattern}", text


BROKEN = [
    pytest.param(operation, place, rule, broken, id=f"{operation}-{place}-{rule[12:40]}")
    for operation, row in ROWS.items()
    if MODELS[operation][1].input_shape
    for place, rule, broken in break_members(MODELS[operation][1].input_shape, row(Nowhere))
]


@pytest.mark.parametrize(("operation", "place", "rule", "broken"), BROKEN)
def test_constraint_when_broken_then_refused_in_aws_words_before_the_handler(
    world: Any, monkeypatch: Any, operation: str, place: str, rule: str, broken: dict[str, Any]
) -> None:
    """Each constraint in AWS's input shapes holds: place and rule stand in the message, 400."""
    reached: list[Any] = []
    monkeypatch.setitem(world.handlers, operation, reached.append)
    status, headers, body = world.ask(write_request(operation, broken))
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    message = json.loads(body)["message"]
    assert re.match(r"\d+ validation errors? detected: ", message)
    assert f"at '{place}' failed to satisfy constraint: {rule}" in message
    assert reached == []
