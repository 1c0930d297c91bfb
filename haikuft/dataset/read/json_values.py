"""A line decoded as UTF-8 and JSON, or why it cannot be."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from haikuft.dataset.problems import Finding, join_place, make_finding, quote
from haikuft.dataset.read import json_errors


class DoubledKeys(dict[str, Any]):
    """A JSON object with keys that occur more than once; `names` lists them."""

    names: list[str]


def parse_line(data: bytes) -> tuple[Any, list[Finding]]:
    """Decode one line as UTF-8 and JSON.

    Returns:
        The value and what is wrong. A value of None with findings could not be parsed; one with
        findings of doubled keys could, with the last value of each key.
    """
    try:
        text = data.rstrip(b"\r\n").decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        return None, [json_errors.explain_encoding(data, error)]
    except json.JSONDecodeError as error:
        return None, [json_errors.explain_json(text, error)]
    except RecursionError:
        return None, [json_errors.explain_nesting(text)]
    except ValueError:  # a constant, or an integer of thousands of digits
        return None, [json_errors.explain_number(text)]
    return value, _find_doubled(value)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _build_object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    doubled = DoubledKeys(value)
    counts = Counter(name for name, _ in pairs)
    doubled.names = [name for name, number in counts.items() if number > 1]
    return doubled


_DECODER = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_refuse_constant)


def _find_doubled(value: Any) -> list[Finding]:
    findings = []
    todo = [("", value)] if isinstance(value, dict | list) else []  # place, and what is there
    while todo:
        place, item = todo.pop()
        if isinstance(item, DoubledKeys):
            findings += [
                make_finding("double-key", join_place(place, name), key=quote(name))
                for name in item.names
            ]
        for key, inner in item.items() if isinstance(item, dict) else enumerate(item):
            if isinstance(inner, dict | list):
                todo.append((join_place(place, key), inner))
    return findings
