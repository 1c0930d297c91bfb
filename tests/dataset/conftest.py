"""What the tests of data sets share: a good record, and a file of given bytes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft.dataset import read_records


@pytest.fixture
def make_record() -> Callable[..., dict[str, Any]]:
    """Build a valid record; every number gives another prompt."""

    def make(number: int = 0, *, answer: str = "", system: str = "") -> dict[str, Any]:
        return {
            **({"system": system} if system else {}),
            "messages": [
                {"role": "user", "content": f"What is {number} plus one?"},
                {"role": "assistant", "content": answer or f"It is {number + 1}."},
            ],
        }

    return make


@pytest.fixture
def make_lines(make_record) -> Callable[[int], list[bytes]]:
    """Build as many valid lines, each with its line feed."""

    def make(number: int) -> list[bytes]:
        return [json.dumps(make_record(n)).encode() + b"\n" for n in range(number)]

    return make


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write bytes, or lines of bytes, to a file and give its path."""

    def put(content: bytes | list[bytes], name: str = "train.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else b"".join(content))
        return path

    return put


@pytest.fixture
def wanted() -> list[dict[str, Any]]:
    """Read the four records that every file holds, or the first three of them."""
    return read_records(Path(__file__).parent / "fixtures" / "messages.jsonl")
