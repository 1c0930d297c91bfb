"""Every code a problem can have, how severe it is, and whose rule it is."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

ROLES = ("user", "assistant")

Severity = Literal["error", "warning"]
Basis = Literal["refused", "stricter", "advice"]


class Rule(NamedTuple):
    """What a code stands for.

    Attributes:
        severity: "error" must be mended, "warning" wants a look.
        basis: "refused" by Bedrock, "stricter" than Bedrock, or "advice".
    """

    severity: Severity
    basis: Basis


_REFUSED = Rule("error", "refused")
_STRICTER = Rule("error", "stricter")
_ADVICE = Rule("warning", "advice")

# Every code there is. They are stable: people write them into their own checks.
RULES: Mapping[str, Rule] = {
    # the file
    "cannot-read": _REFUSED,
    "not-text": _REFUSED,
    "file-too-large": _REFUSED,
    "too-few-records": _REFUSED,
    "too-many-records": _REFUSED,
    "too-many-records-together": _REFUSED,
    "few-records": _ADVICE,
    "gave-up": _STRICTER,
    "not-all-compared": _ADVICE,
    "label-imbalance": _ADVICE,
    "validation-not-taken": _STRICTER,
    # its lines
    "byte-order-mark": _ADVICE,
    "windows-line-ends": _ADVICE,
    "blank-last-line": _ADVICE,
    "blank-line": _REFUSED,
    "carriage-return": _STRICTER,
    "line-too-long": _REFUSED,
    "not-utf8": _REFUSED,
    "not-json": _REFUSED,
    # its records
    "wrong-format": _REFUSED,
    "not-object": _REFUSED,
    "double-key": _STRICTER,
    "unknown-key": _STRICTER,
    "missing-key": _REFUSED,
    "wrong-type": _REFUSED,
    "null-system": _STRICTER,
    "wrong-role": _REFUSED,
    "too-few-messages": _REFUSED,
    "first-not-user": _REFUSED,
    "not-alternating": _REFUSED,
    "last-not-assistant": _REFUSED,
    # their texts
    "not-plain-text": _STRICTER,
    "several-texts": _STRICTER,
    "empty-turn": _REFUSED,
    "empty-text": _STRICTER,
    "invisible-text": _STRICTER,
    "reserved-string": _REFUSED,
    "reserved-in-answer": _ADVICE,
    "nul": _STRICTER,
    "lone-surrogate": _REFUSED,
    "too-many-tokens": _REFUSED,
    "perhaps-too-many-tokens": _ADVICE,
    "outer-white-space": _ADVICE,
    # one record beside another
    "answer-equals-prompt": _ADVICE,
    "duplicate-record": _ADVICE,
    "different-answers": _ADVICE,
    "odd-system-prompt": _ADVICE,
    "overlap": _ADVICE,
}
