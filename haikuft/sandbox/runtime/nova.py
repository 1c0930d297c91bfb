"""Amazon Nova's format, as InvokeModel takes and returns it: read, check and write. Pure.

Its members are those of Converse, and so are the events of its stream, each in a chunk's bytes.
Sources: Amazon Nova User Guide, complete-request-schema and complete-request-schema-response, for
ranges and defaults; AWS's samples for `schemaVersion` and for the older names of parameters. They
send temperature 0 as well, which the guide excludes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from haikuft.sandbox.runtime import converse, messages
from haikuft.sandbox.runtime.messages import InferenceRequest, Reply, refusal

DEFAULTS = {"temperature": 0.7, "top_p": 0.9}

_SCHEMA = messages.SCHEMAS["nova"]
_UNSERVED = frozenset({"toolConfig", "reasoningConfig"})
_NAMES = {**converse.NAMES, "top_k": "topK"}
_OLDER_NAMES = {"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK"}


def read_body(body: bytes, *, max_output_tokens: int) -> InferenceRequest:
    """Read a body of Nova's.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    asked = messages.read_object(body)
    messages.check_served(asked, _UNSERVED)
    sampling = {"max_tokens": max_output_tokens, **DEFAULTS, **_read_sampling(asked, _SCHEMA)}
    return messages.build_request(
        sampling, asked["messages"], asked.get("system"), messages.join_texts, max_output_tokens
    )


def read_further(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read Converse's `additionalModelRequestFields`, which may have inferenceConfig's topK."""
    sampling = _read_sampling(fields, {**_SCHEMA, "required": ()})
    if fields.keys() - {"inferenceConfig"} or sampling.keys() - {"top_k"}:
        raise refusal("additionalModelRequestFields: the sandbox takes inferenceConfig.topK only.")
    return DEFAULTS | sampling


def write_reply(label: str, reply: Reply) -> dict[str, Any]:
    """Write the reply as Nova gives it; it has no place for the model's label."""
    written = converse.write_conversation(label, reply)
    return {name: written[name] for name in ("output", "stopReason", "usage")}


def events(label: str, reply: Reply) -> Iterator[dict[str, Any]]:
    """Write the events of a stream; the last has Bedrock's metrics."""
    for event in converse.stream_conversation(label, reply):
        if "metadata" in event:
            usage = {"usage": event["metadata"]["usage"], "metrics": {}, "trace": {}}
            yield {"metadata": usage, messages.METRICS: messages.write_metrics(reply)}
        else:
            yield event


def _read_sampling(asked: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check a body, and read the parameters of its inferenceConfig by Anthropic's names."""
    config = asked.get("inferenceConfig", {})
    if isinstance(config, dict):
        config = {_OLDER_NAMES.get(name, name): value for name, value in config.items()}
    messages.check_format({**asked, "inferenceConfig": config}, schema)
    return converse.read_config(config, _NAMES)
