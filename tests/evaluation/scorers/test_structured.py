"""JSON is judged as JSON: one kind of number, formats that are checked, nothing fetched."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from haikuft.errors import SettingsError
from haikuft.evaluation.scorers.scorer import schema_scorer
from haikuft.evaluation.scorers.structured import NOT_CHECKED, json_agreement, matches_schema


def record(reference: str) -> dict[str, Any]:
    """Build a record with this reference."""
    turns = [("user", "which?"), ("assistant", reference)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def of_format(name: str) -> str:
    """Write a schema of one member of a format."""
    return json.dumps({"properties": {"x": {"type": "string", "format": name}}})


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """Serve a schema on the loopback address; give its URL and the paths asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/code.json", paths
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("one", "other"), [("10", "10.0"), ("1e3", "1000"), ("0", "-0.0"), ("0.1", "0.10")]
)
def test_json_agreement_when_a_number_is_written_otherwise_then_it_agrees(
    one: str, other: str
) -> None:
    """JSON has one kind of number."""
    assert json_agreement(record(f'{{"price": {one}}}'), f'{{"price": {other}}}') == 1.0


@pytest.mark.parametrize(
    ("one", "other"), [("1", "true"), ("0", "false"), ("1", '"1"'), ("0", "null"), ("{}", "[]")]
)
def test_json_agreement_when_values_are_of_other_kinds_then_they_disagree(
    one: str, other: str
) -> None:
    """Python takes some of them for equal."""
    assert json_agreement(record(f'{{"price": {one}}}'), f'{{"price": {other}}}') == 0.0


@pytest.mark.parametrize(
    ("number", "score"), [("19.99", 1), ("19.995", 0), ("0.07", 1), ("1e30", 1), ("1e100000", 0)]
)
def test_schema_when_a_number_must_be_a_multiple_then_it_is_so_in_decimal(
    number: str, score: float
) -> None:
    """In binary 19.99 is no multiple of 0.01; a number of 100,000 digits is not computed."""
    schema = '{"properties": {"price": {"multipleOf": 0.01}}}'

    assert matches_schema(record("{}"), f'{{"price": {number}}}', schema=schema) == score


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2024-02-29", "2024-13-45"),
        ("date-time", "2024-02-29T10:00:00Z", "yesterday"),
        ("email", "a@b.example", "a"),
        ("uri", "https://b.example/x", "no uri"),
        ("uuid", "0b1b1f30-6b6c-4a0e-9a3b-2f1f6d2f8a11", "0b1b1f30"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("duration", "P3D", "3 days"),
        ("json-pointer", "/a/b", "a"),
    ],
)
def test_schema_when_it_names_a_format_then_it_is_checked_and_the_title_says_so(
    name: str, good: str, bad: str
) -> None:
    """A date that is none is not allowed."""
    scorer = schema_scorer(of_format(name))

    assert scorer.title == f"replies that the schema allows (formats checked: {name})"
    assert scorer(record("{}"), json.dumps({"x": good})) == 1.0
    assert scorer(record("{}"), json.dumps({"x": bad})) == 0.0


@pytest.mark.parametrize("name", [*sorted(NOT_CHECKED), "licence-plate"])
def test_schema_when_a_format_is_not_checked_then_the_title_says_so(name: str) -> None:
    """No score stands for what was not looked at."""
    scorer = schema_scorer(of_format(name))

    assert scorer.title.endswith(f"(not checked: {name})")
    assert scorer(record("{}"), '{"x": "no such thing"}') == 1.0


def test_schema_when_a_reference_leads_to_a_url_then_it_is_refused_and_nothing_is_asked(
    asked: tuple[str, list[str]],
) -> None:
    """Scoring does not use the network."""
    url, paths = asked

    with pytest.raises(SettingsError, match="References to other documents are not loaded"):
        schema_scorer(json.dumps({"properties": {"x": {"$ref": url}}}))
    assert paths == []


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "#/$defs/nope"}',
        '{"$ref": "other.json"}',
        '{"$ref": "#anchor"}',
        '{"items": {"anyOf": [{"$ref": "#/$defs/nope"}]}}',
        '{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/nope"}',
    ],
)
def test_schema_when_a_reference_is_broken_then_it_is_refused_before_any_reply(schema: str) -> None:
    """The reference is named."""
    with pytest.raises(SettingsError, match=r'the reference ".+" leads to nothing'):
        matches_schema(record("{}"), "no json", schema=schema)


def test_schema_when_a_broken_reference_hides_then_it_is_refused_by_the_reply_it_meets() -> None:
    """In a member that no draft knows, it is met when a reply leads there."""
    schema = '{"$ref": "#/mine", "mine": {"properties": {"a": {"$ref": "#/none"}}}}'

    with pytest.raises(SettingsError, match='the reference "/none" leads to nothing'):
        matches_schema(record("{}"), '{"a": 1}', schema=schema)


@pytest.mark.parametrize(
    "schema",
    [
        '{"$defs": {"n": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/n"}}}',
        '{"$id": "https://a.example/s", "$defs": {"n": {"$id": "n", "type": "integer"}}, '
        '"properties": {"x": {"$ref": "n"}}}',
        '{"const": {"x": 1}, "$comment": "", "enum": [{"x": 1}, {"$ref": "#/none"}]}',
        '{"$ref": "https://json-schema.org/draft/2020-12/schema"}',
    ],
)
def test_schema_when_references_are_sound_then_replies_are_scored(schema: str) -> None:
    """In the schema itself, by a name of its own, or in JSON Schema's own documents."""
    assert matches_schema(record("{}"), '{"x": 1}', schema=schema) == 1.0


@pytest.mark.parametrize("schema", ["5", '"text"', "null", "[]", '{"pattern": "("}'])
def test_schema_when_it_is_json_and_no_schema_then_it_is_refused(schema: str) -> None:
    """A number is no schema."""
    with pytest.raises(SettingsError, match="not a JSON Schema"):
        schema_scorer(schema)
