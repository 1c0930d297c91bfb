"""Which operation a method and a raw path mean."""

from urllib.parse import quote

import pytest

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.http.rest_json import SERVICES, find_operation, load_service

MODEL = (
    "arn:aws:bedrock:us-west-2:123456789012:custom-model/"
    "anthropic.claude-3-haiku-20240307-v1:0:200k/abcdefghijkl"
)


def test_find_operation_when_every_path_of_bedrock_is_asked_then_each_finds_its_own() -> None:
    """No operation of either service hides another, whatever its labels hold."""
    for service in SERVICES:
        model = load_service(service)
        for name in model.operation_names:
            http = model.operation_model(name).http
            path = http["requestUri"].replace("{", "x{").replace("}", "}")
            route = find_operation(http["method"], path.replace("{", "").replace("}", ""))
            assert (route.service, route.model.name) == (service, name)


@pytest.mark.parametrize("safe", ["", ":"])
def test_find_operation_when_path_holds_an_arn_then_its_slashes_stay_in_one_label(
    safe: str,
) -> None:
    """Clients encode an ARN's slashes, and some leave its colons as they are."""
    route = find_operation("GET", f"/custom-models/{quote(MODEL, safe=safe)}")
    assert route.model.name == "GetCustomModel"
    assert route.labels == {"modelIdentifier": MODEL}


def test_find_operation_when_label_is_in_the_middle_then_the_path_goes_on_behind_it() -> None:
    """InvokeModel belongs to the runtime, on the same port."""
    route = find_operation("POST", f"/model/{quote(MODEL, safe='')}/invoke")
    assert (route.service, route.model.name) == ("bedrock-runtime", "InvokeModel")
    assert route.labels["modelId"] == MODEL


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing-of-the-kind"),
        ("PUT", "/custom-models/a"),
        ("GET", f"/custom-models/{MODEL}"),
        ("POST", "/model//invoke"),
        ("GET", "/"),
    ],
)
def test_find_operation_when_bedrock_has_no_such_path_then_says_which(
    method: str, path: str
) -> None:
    """The error names method and path; an ARN with plain slashes is no label."""
    with pytest.raises(ServiceError, match=f"{method} /") as caught:
        find_operation(method, path)
    assert caught.value.code == "UnknownOperationException"
