"""Random requests: whatever comes in is accepted or refused as Bedrock does, never a 500.

Requests are built from botocore's service models, some within AWS's constraints and some not, and
go through the whole application to Bedrock's own handlers, which hold a job, a model and a
throughput that the requests can name.
"""

import json
import re
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haikuft.sandbox.http.rest_json import SERVICES, load_service

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
KNOWN = [  # names of what is there, and what could be
    *("job-1", "job-3", "model-of-job-1", "pt-1", "k", HAIKU, f"{HAIKU}:200k"),
    f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}:200k",
    f"arn:aws:bedrock:us-west-2:123456789012:custom-model/{HAIKU}:200k/abcdefghijkl",
    "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl",
    *("arn:aws:iam::123456789012:role/r", "s3://data/training/train.jsonl", "s3://data/output/"),
]
CONTENT_TYPES = ["application/json", "", "text/plain", "application/x-www-form-urlencoded", "é/;"]
# Python's own search would take years for some of these under AWS's patterns, read naively.
TRAPS = [
    "a" + "-" * 62 + "_",
    "a-" * 500 + "!",
    "a" * 5_000 + "!",
    "a.a:" * 200 + "!",
    "arn:aws:bedrock:us-west-2:123456789012:custom-model/" + "a" * 63 + "." + "-" * 900,
    "arn:aws:bedrock:us-west-2::foundation-model/a." + "a-." * 300,
    "s3://" + "a-." * 200 + "/" * 9,
    "s3://bucket/" + "a/" * 490 + " ",
    "anthropic." + "a" * 126 + ":" * 3,
]


def one_of(choices: list[Any]) -> st.SearchStrategy[Any]:
    """Draw one of them, which may be too long for hypothesis to write down with each draw."""
    return st.integers(0, len(choices) - 1).map(lambda n: choices[n])


_anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        one_of([*TRAPS, "", "\x00", "\ud800", "😀" * 300, 10**400, -(2**63), 1e308]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_broken_bodies = one_of(
    [b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b" "]
)
_turn = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]) | _anything},
    optional={"content": st.text() | _anything, "cache_control": _anything},
)
_messages_bodies = st.fixed_dictionaries(
    {
        "anthropic_version": st.just("bedrock-2023-05-31") | _anything,
        "max_tokens": st.integers(-1, 5000) | _anything,
        "messages": st.lists(_turn, max_size=3) | _anything,
    },
    optional={
        name: st.floats(0, 1) | _anything
        for name in ("temperature", "top_p", "top_k", "stop_sequences", "system", "tools", "x")
    },
)


def build_values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Draw JSON values of a shape, most of them such as AWS takes."""
    if getattr(shape, "is_document_type", False) or depth > 6:
        return _anything
    kind, facts = shape.type_name, shape.metadata
    if kind == "structure":
        members = {
            member.serialization.get("name", name): _or_anything(member, depth + 1)
            for name, member in shape.members.items()
        }
        if getattr(shape, "is_tagged_union", False):
            return st.one_of([st.fixed_dictionaries({n: m}) for n, m in members.items()])
        needed = {name: members.pop(name) for name in shape.required_members if name in members}
        return st.fixed_dictionaries(needed, optional=members)
    if kind == "list":
        least = min(facts.get("min", 0), 3)
        return st.lists(_or_anything(shape.member, depth + 1), min_size=least, max_size=least + 1)
    if kind == "map":
        keys = build_values(shape.key, depth + 1)
        return st.dictionaries(keys, _or_anything(shape.value, depth + 1), max_size=2)
    if kind == "string":
        return _build_texts(facts)
    if kind == "boolean":
        return st.booleans()
    if kind == "blob":
        return st.sampled_from(["", "e30=", "%%%"])
    if kind == "timestamp":
        return st.sampled_from(["2026-11-21T00:00:00Z", "yesterday", 1.5, -1e18, 1e300])
    return st.integers(-1, 1001) | st.integers() | st.floats()


def _or_anything(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    usual = st.deferred(lambda: build_values(shape, depth))
    return st.integers(0, 9).flatmap(lambda chance: usual if chance else _anything)


def _build_texts(facts: Any) -> st.SearchStrategy[str]:
    if facts.get("enum"):
        return st.sampled_from(facts["enum"])
    pattern = facts.get("pattern", ".*")
    # Java has a \p that Python does not know.
    fit = [text for text in KNOWN if "\\p" not in pattern and re.fullmatch(pattern, text)]
    usual = st.sampled_from(fit or KNOWN)
    return usual | usual | one_of([*KNOWN, *TRAPS]) | st.text()


@cache
def build_requests(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw requests to an operation."""
    service = next(s for s in SERVICES if operation in load_service(s).operation_names)
    model = load_service(service).operation_model(operation)
    return st.builds(
        _write_request,
        st.just(model),
        st.just({}) if model.input_shape is None else build_values(model.input_shape),
        message=_messages_bodies,
        content_type=st.sampled_from(CONTENT_TYPES),
        further=st.sampled_from(["", "", "%zz", "a", "=", "&&", "maxResults=x", "isOwned=1"]),
        broken_label=_seldom(st.sampled_from(["%", "%zz", "%ff", "%2F%2F", "a%00b", "..%2f.."])),
        broken_body=_seldom(_broken_bodies | st.binary(max_size=30)),
    )


def _seldom(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda chance: st.none() if chance else strategy)


def _write_request(
    model: Any,
    parameters: dict[str, Any],
    *,
    message: dict[str, Any],
    content_type: str,
    further: str,
    broken_label: str | None,
    broken_body: bytes | None,
) -> dict[str, Any]:
    path, query = model.http["requestUri"].partition("?")[0], [further] if further else []
    asked: dict[str, Any] = {"CONTENT_TYPE": content_type}
    in_body = {"noSuchMember": 1}
    members = model.input_shape.members if model.input_shape else {}
    for ours, member in members.items():
        name = member.serialization.get("name", ours)
        location = member.serialization.get("location")
        if name not in parameters:
            continue
        value = parameters[name]
        text = value if isinstance(value, str) else json.dumps(value)
        encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
        if location == "uri":
            path = path.replace("{" + name + "}", broken_label or encoded)
        elif location == "querystring":
            query.append(f"{name}={encoded}")
        elif location == "header":
            asked["HTTP_" + name.upper().replace("-", "_")] = text.encode(
                "ascii", "ignore"
            ).decode()
        else:
            in_body[name] = value
    payload = model.input_shape is not None and "payload" in model.input_shape.serialization
    body = json.dumps(message if payload else in_body).encode()
    return asked | {
        "REQUEST_METHOD": model.http["method"],
        "RAW_URI": f"{path}?{'&'.join(query)}",
        "QUERY_STRING": "&".join(query),
        "body": body if broken_body is None else broken_body,
    }


def check_answer(status: int, headers: dict[str, str], body: bytes) -> None:
    """See that an answer is a success, or a refusal that botocore can read."""
    if status < 300:
        return
    assert 400 <= status < 500, body
    assert headers["x-amzn-ErrorType"].isalnum()
    assert json.loads(body)["message"]
    assert len(headers["x-amzn-RequestId"]) == 36


@settings(
    max_examples=300,
    derandomize=True,
    deadline=timedelta(seconds=20),  # years, where a pattern is a trap
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_bedrock_when_request_is_random_then_accepts_or_refuses_it(
    world: Any, data: st.DataObject
) -> None:
    """Wrong types, huge and empty values, odd text, broken paths and bodies: never a 500."""
    operation = data.draw(st.sampled_from(sorted(world.handlers)))
    check_answer(*world.ask(data.draw(build_requests(operation))))
