"""Whose a resource is, by its tags; and the token of a paid request."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.aws.ownership import is_ours, name_owner, request_token

OURS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
OTHER = {**OURS, "haikuft:owner": "f" * 16}
OTHER_RUN = {**OURS, "haikuft:run": "second"}
OLD = {"haikuft:run": "first"}


@pytest.mark.parametrize(
    ("tags", "recorded", "ours"),
    [
        (OURS, False, True),
        (OURS, True, True),
        (OTHER, False, False),
        (OTHER, True, False),
        (OTHER_RUN, True, False),
        (OLD, False, False),
        (OLD, True, True),
        ({}, False, False),
        ({}, True, True),
        ({"haikuft:run": "second"}, True, False),
        ({"team": "a", **OURS}, False, True),
    ],
)
def test_is_ours_when_tags_are_read_then_the_owner_id_decides(
    tags: dict[str, str], recorded: bool, ours: bool
) -> None:
    """The record is enough only where no tag contradicts it."""
    assert is_ours(tags, OURS, recorded=recorded) is ours


def test_name_owner_when_tags_are_read_then_says_whose_it_is() -> None:
    """An owner id is told; its absence, too."""
    assert name_owner(OTHER) == f"it belongs to run first, owner id {'f' * 16}"
    assert "no owner id" in name_owner(OLD)


REQUESTS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4)


@given(REQUESTS, st.integers(1, 50))
def test_request_token_when_the_request_is_the_same_then_is_the_same(
    request: dict[str, Any], attempt: int
) -> None:
    """In whatever order it was built; and it is one that AWS takes."""
    token = request_token("0" * 16, "job", attempt, request)
    assert token == request_token("0" * 16, "job", attempt, dict(reversed(request.items())))
    assert len(token) == 64
    assert token.isalnum()


@given(REQUESTS, REQUESTS)
def test_request_token_when_anything_differs_then_is_another(
    one: dict[str, Any], two: dict[str, Any]
) -> None:
    """Owner, purpose, attempt and request each count."""
    token = request_token("0" * 16, "job", 1, one)
    assert (request_token("0" * 16, "job", 1, two) == token) == (one == two)
    assert request_token("1" * 16, "job", 1, one) != token
    assert request_token("0" * 16, "throughput", 1, one) != token
    assert request_token("0" * 16, "job", 2, one) != token
