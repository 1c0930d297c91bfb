"""Ask one model one thing. Sources: Bedrock Runtime API, Converse and InvokeModel.

A tuned model is asked by the ARN of its Provisioned Throughput or of its deployment, a base model
by its id, any other by its id or that of an inference profile.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Unpack

from haikuft.aws_errors import explaining
from haikuft.errors import ReplyError, SettingsError
from haikuft.inference.requests import (
    APIS,
    Answer,
    Messages,
    Sampling,
    build_body,
    build_request,
    name_settings,
    read_message,
    read_response,
)
from haikuft.replies import Reply

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
    answered_by: str = "",
    clock: Callable[[], float] = time.perf_counter,
    **sampling: Unpack[Sampling],
) -> Reply:
    """Ask one model one thing and wait for the whole reply.

    Example: `ask(runtime, model_id, [{"role": "user", "content": "Hello"}], max_tokens=64)`.

    Args:
        runtime: A client; its own retry settings deal with throttling.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt; None for none.
        api: "converse", which every family takes, or "messages", InvokeModel with Claude's body.
        record_id: Kept in the reply.
        answered_by: Kept in the reply; see `identify_model`.
        clock: Seconds, for the latency.
        sampling: max_tokens, temperature, top_p, stop_sequences, as for `build_request`.

    Raises:
        SettingsError: an unknown api, or sampling that cannot be.
        HaikuftError: the call failed; AWS's reason stands in the message, with a mend.
        ReplyError: the call succeeded and the reply cannot be read.
    """
    check_api(api)
    send = _converse if api == "converse" else _invoke
    asked_at, started = now(), clock()
    with explaining(f"asking {model_id}"):
        response, read = send(runtime, model_id, messages, system, sampling)
    seconds = clock() - started
    try:
        answer = read()
    except (KeyError, TypeError, ValueError) as error:
        told = {name: value for name, value in response.items() if name != "ResponseMetadata"}
        raise ReplyError(
            f"{model_id} answered something that is no reply ({error!r}): {str(told)[:200]}. "
            f'It was asked by api = "{api}"; check that the model takes that.'
        ) from error
    return Reply(
        record_id=record_id,
        model_id=model_id,
        text=answer.text,
        stop_reason=answer.stop_reason,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        latency_seconds=round(seconds, 6),
        model=answer.model,
        error=None,
        asked_at=asked_at,
        settings=name_settings(**sampling),
        answered_by=answered_by,
        api=api,
        retries=int(response["ResponseMetadata"].get("RetryAttempts", 0)),
    )


def identify_model(bedrock: "BedrockClient", model_id: str) -> str:
    """Say what answers when this is asked: the custom model's ARN behind a throughput's.

    A throughput that is deleted and made again has another ARN and serves the same model; replies
    are kept under what this returns, so none is paid for again. What is no throughput and no
    deployment stands for itself.

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
    """Refuse what is no way of asking.

    Raises:
        SettingsError: says which there are.
    """
    if api not in APIS:
        raise SettingsError(f'api = "{api}": choose "converse" or "messages".')


def now() -> str:
    """Tell the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


_Sent = tuple[dict[str, Any], Callable[[], Answer]]  # the response, and how to read it


def _converse(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Messages,
    system: str | None,
    sampling: Sampling,
) -> _Sent:
    request = build_request(messages, system=system, **sampling)
    response: Any = runtime.converse(modelId=model_id, **request)
    return response, lambda: read_response(response)


def _invoke(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Messages,
    system: str | None,
    sampling: Sampling,
) -> _Sent:
    response: Any = runtime.invoke_model(
        modelId=model_id,
        contentType="application/json",
        accept="application/json",
        body=json.dumps(build_body(messages, system=system, **sampling)).encode(),
    )
    response["body"] = response["body"].read()
    return response, lambda: read_message(response["body"])
