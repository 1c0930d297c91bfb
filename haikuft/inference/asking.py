"""Ask one model one question. Sources: Bedrock Runtime API, Converse and InvokeModel.

A tuned model is asked by the ARN of its Provisioned Throughput or of its deployment, a base model
by its id, any other by its id or that of an inference profile.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Unpack

from haikuft.aws.errors import explaining
from haikuft.errors import ReplyError, SettingsError
from haikuft.inference.replies import Reply
from haikuft.inference.requests import (
    APIS,
    UNREADABLE,
    Messages,
    Sampling,
    build_body,
    build_request,
    name_settings,
    read_message,
    read_response,
)

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


def ask(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Messages,
    *,
    system: str | None = None,
    api: str = "converse",
    record_id: str = "",
    clock: Callable[[], float] = time.perf_counter,
    **sampling: Unpack[Sampling],
) -> Reply:
    """Ask one model one question and wait for the whole reply.

    Example: `ask(runtime, model_id, [{"role": "user", "content": "Hello"}], max_tokens=64)`.

    Args:
        runtime: A client; its own retry settings deal with throttling.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt; None for none.
        api: "converse", which every family takes, or "messages", InvokeModel with Claude's body.
        record_id: Kept in the reply.
        clock: Seconds, for the latency.
        sampling: max_tokens and temperature, as for `build_request`.

    Raises:
        SettingsError: an unknown api, or sampling values that cannot be used.
        HaikuftError: the call failed; the message has AWS's reason and how to fix it.
        ReplyError: the call succeeded and the reply cannot be read.
    """
    check_api(api)
    build: Callable[..., dict[str, Any]] = build_request if api == "converse" else build_body
    request = build(messages, system=system, **sampling)
    asked_at, started = now(), clock()
    with explaining(f"asking {model_id}"):
        response: Any
        if api == "converse":
            response = runtime.converse(modelId=model_id, **request)
        else:
            body = json.dumps(request).encode()
            form = "application/json"
            response = runtime.invoke_model(
                modelId=model_id, contentType=form, accept=form, body=body
            )
            response["body"] = response["body"].read()
    seconds = clock() - started
    try:
        answer = read_response(response) if api == "converse" else read_message(response["body"])
    except UNREADABLE as error:
        content = {name: value for name, value in response.items() if name != "ResponseMetadata"}
        raise ReplyError(
            f"{model_id} sent something that is not a reply ({error!r}): {str(content)[:200]}. "
            f'It was asked by api = "{api}"; check that the model takes that.'
        ) from error
    return Reply(
        record_id=record_id,
        model_id=model_id,
        **answer._asdict(),
        latency_seconds=round(seconds, 6),
        error=None,
        asked_at=asked_at,
        settings=name_settings(**sampling),
        api=api,
        retries=int(response["ResponseMetadata"].get("RetryAttempts", 0)),
    )


def identify_model(bedrock: "BedrockClient", model_id: str) -> str:
    """Return the ARN of the custom model that a throughput or deployment serves, or the id.

    A throughput that is deleted and created again has another ARN and serves the same model;
    replies are kept under what this returns, so that none is paid for again.

    Raises:
        NotFoundError: this account and Region have no such throughput or deployment.
    """
    with explaining(f"reading what answers at {model_id}"):
        if ":provisioned-model/" in model_id:
            answer = bedrock.get_provisioned_model_throughput(provisionedModelId=model_id)
            return answer["modelArn"]
        if ":custom-model-deployment/" in model_id:
            found = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=model_id)
            return found["modelArn"]
    return model_id


def check_api(api: str) -> None:
    """Check the name of an API.

    Raises:
        SettingsError: it is unknown; names the known ones.
    """
    if api not in APIS:
        raise SettingsError(f'api = "{api}": choose "converse" or "messages".')


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
