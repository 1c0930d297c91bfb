"""Amazon Nova's format, as InvokeModel takes and returns it: read, check and write. Pure.

Its members are those of Converse, and so are the events of its stream, each in a chunk's bytes.
Sources: Amazon Nova User Guide, complete-request-schema and complete-request-schema-response, for
ranges and defaults; AWS's samples for `schemaVersion` and for the older names of parameters. They
send temperature 0 as well, which the guide excludes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from haikuft.sandbox.runtime import converse, messages
from haikuft.sandbox.runtime.messages import InferenceRequest, Reply, malformed, refusal

VERSION = "messages-v1"
DEFAULTS = {"temperature": 0.7, "top_p": 0.9}
MOST_TOP_K = 128

_KEYS = frozenset({"schemaVersion", "messages", "system", "inferenceConfig"})
_UNSERVED = frozenset({"toolConfig", "reasoningConfig"})
_NAMES = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop_sequences": "stopSequences",
}
_OLDER_NAMES = {"max_new_tokens": "maxTokens", "top_p": "topP", "top_k": "topK"}
_PLACES = {ours: f"inferenceConfig/{name}" for ours, name in _NAMES.items()}


def read_body(body: bytes, *, max_output_tokens: int) -> InferenceRequest:
    """Read a body of Nova's.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    asked = messages.read_object(body)
    messages.check_served(asked, _UNSERVED)
    faults = messages.key_faults(asked, ("messages",), _KEYS)
    if asked.get("schemaVersion", VERSION) != VERSION:
        faults.append(f"#/schemaVersion: {asked['schemaVersion']} is not a valid enum value")
    sampling, wrong = _read_config(asked.get("inferenceConfig", {}))
    turns = asked.get("messages", [])
    ranges = messages.range_faults({**sampling, "messages": turns}, _PLACES, MOST_TOP_K)
    messages.check_faults([*faults, *wrong, *ranges])
    read = [messages.read_message(turn, n, _join) for n, turn in enumerate(turns)]
    system = _join(asked.get("system", []), "system", "#/system")
    return messages.build_request(
        {"max_tokens": max_output_tokens, **DEFAULTS, **sampling},
        messages=read,
        system=system or None,
        max_output_tokens=max_output_tokens,
    )


def read_further(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read Converse's `additionalModelRequestFields`, which may have inferenceConfig's topK."""
    faults = messages.key_faults(fields, (), _KEYS)
    sampling, wrong = _read_config(fields.get("inferenceConfig", {}))
    ranges = messages.range_faults(sampling, _PLACES, MOST_TOP_K)
    messages.check_faults([*faults, *wrong, *ranges])
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


def _read_config(config: Any) -> tuple[dict[str, Any], list[str]]:
    """Read inferenceConfig; return its parameters by our names, and the errors in its keys."""
    if not isinstance(config, dict):
        return {}, [
            f"#/inferenceConfig: expected type: JSONObject, found: {messages.type_of(config)}"
        ]
    given = {_OLDER_NAMES.get(name, name): value for name, value in config.items()}
    unknown = [name for name in given if name not in _NAMES.values()]
    faults = [f"#/inferenceConfig: extraneous key [{name}] is not permitted" for name in unknown]
    return {ours: given[name] for ours, name in _NAMES.items() if name in given}, faults


def _join(blocks: Any, place: str, pointer: str) -> str:
    """Join blocks of text, which have one key each."""
    if not isinstance(blocks, list):
        raise malformed(f"{pointer}: expected type: JSONArray, found: {messages.type_of(blocks)}")
    for n, block in enumerate(blocks):
        if not isinstance(block, dict):
            kind = messages.type_of(block)
            raise malformed(f"{pointer}/{n}: expected type: JSONObject, found: {kind}")
        if not isinstance(block.get("text", ""), str):
            kind = messages.type_of(block["text"])
            raise malformed(f"{pointer}/{n}/text: expected type: String, found: {kind}")
        if unknown := [key for key in block if key == "type"]:
            raise malformed(f"{pointer}/{n}: extraneous key [{unknown[0]}] is not permitted")
    return messages.join_texts(blocks, place)
