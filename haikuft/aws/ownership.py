"""Whose a resource is, by its tags, and the token that keeps a paid request from counting twice.

Each resource carries the run's name and owner id, and its class id where it was begun for a class.
A run adopts, changes and deletes only what carries its owner id, or what its record names by ARN
and no tag contradicts. Names prove nothing: two people may give their runs the same.
Source: Bedrock API, clientRequestToken of the Create operations.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from haikuft.errors import ConflictError

RUN_TAG, OWNER_TAG, CLASS_TAG = "haikuft:run", "haikuft:owner", "haikuft:class"


def is_ours(found: Mapping[str, str], marks: Mapping[str, str], *, recorded: bool = False) -> bool:
    """Tell from its tags whether a resource is the run's.

    Args:
        found: the resource's tags.
        marks: the run's: `run.tags`.
        recorded: whether the run's record names this very resource, which then needs no owner id:
            it may be from before there were any.
    """
    same_run = found.get(RUN_TAG, marks[RUN_TAG]) == marks[RUN_TAG]
    same_run &= CLASS_TAG not in marks or found.get(CLASS_TAG) == marks[CLASS_TAG]
    owner = found.get(OWNER_TAG, "")
    return same_run and (owner == marks[OWNER_TAG] if owner else recorded)


def is_foreign(found: Mapping[str, str]) -> bool:
    """Tell whether no run has made a resource: somebody else's, such as a platform team's."""
    return not {RUN_TAG, OWNER_TAG} & found.keys()


def name_owner(found: Mapping[str, str]) -> str:
    """Say what a resource's tags tell of whose it is."""
    if owner := found.get(OWNER_TAG):
        return f"it belongs to run {found.get(RUN_TAG, 'without a name')}, owner id {owner}"
    return f"it carries no owner id, the tag {OWNER_TAG}, so it may be anybody's"


def refuse_named(kind: str, what: str, found: Mapping[str, str], marks: Mapping[str, str]) -> str:
    """Say why a bucket or role of the wanted name is left alone, and what to do.

    `kind` is "bucket" or "role"; `what` names it at the beginning of the sentence.
    """
    parameter = {"bucket": "bucket", "role": "role_name"}[kind]
    tag = f", or add the tag {OWNER_TAG} = {marks[OWNER_TAG]} if this run may change and delete it"
    return (
        f"{what} exists and was not made by this run: {name_owner(found)}. It is left alone. "
        f"Set {parameter} to another name{'' if OWNER_TAG in found else tag}."
    )


def check_named(
    kind: str, name: str, found: Mapping[str, str], marks: Mapping[str, str], *, recorded: bool
) -> None:
    """Check that a bucket or role of the wanted name is the run's.

    Another of that name may have come since it was recorded: the record alone proves nothing.

    Args:
        kind: "bucket" or "role".
        name: its name.
        found: its tags.
        marks: the run's: `run.tags`.
        recorded: whether the run's record names it.

    Raises:
        ConflictError: it is not the run's.
    """
    if not is_ours(found, marks, recorded=recorded and RUN_TAG in found):
        raise ConflictError(refuse_named(kind, f"{kind.capitalize()} {name}", found, marks))


def list_tags(tags: Mapping[str, str], *, key: str = "key", value: str = "value") -> Any:
    """Write tags as Bedrock takes them; S3 and IAM call the members "Key" and "Value"."""
    return [{key: name, value: text} for name, text in tags.items()]


def request_token(owner: str, purpose: str, attempt: int, request: Mapping[str, Any]) -> str:
    """Make the clientRequestToken of a request that is paid for: 64 hexadecimal characters.

    Bedrock ignores a request whose token matches an earlier one's, without an error. So the same
    attempt can be asked for again after a lost answer, and a new one carries a higher number.
    """
    parts = json.dumps([owner, purpose, attempt, request], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()
