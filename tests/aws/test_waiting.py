"""How long a wait takes, in words."""

import pytest

from haikuft.aws.waiting import name_span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (90, "1.5 minutes"),
        (3600, "1 hour"),
        (5400, "1.5 hours"),
        (86_400, "24 hours"),
    ],
)
def test_name_span_when_given_seconds_then_says_them_in_the_largest_unit(
    seconds: float, words: str
) -> None:
    """One of a unit is no plural."""
    assert name_span(seconds) == words
