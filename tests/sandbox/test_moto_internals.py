"""The private parts of moto that the sandbox uses: a change in them fails with a message."""

import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.core.eventstream import EventStreamEncoder
from moto.iam.models import IAMBackend, iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import FakeBucket, FakeKey, MultipartDict, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.sts.models import STSBackend
from packaging.requirements import Requirement

from haikuft.sandbox.persistence.moto_s3 import _WATCHED

ACCOUNT = "123456789012"
ADVICE = (
    "moto {} {}. The sandbox's persistence relies on it: read what replaced it in this release of "
    "moto, change haikuft/sandbox/persistence/{}, and see that tests/sandbox/persistence pass."
)
CLASSES: list[tuple[type, tuple[str, ...], str]] = [
    (BackendDict, ("reset",), "moto_state.py"),
    (S3Backend, tuple(_WATCHED), "moto_s3.py"),
    (_VersionedKeyStore, ("getlist", "setlist"), "moto_s3.py"),
    (MultipartDict, ("items", "__setitem__"), "moto_s3.py"),
    (FakeBucket, ("arn", "get_permission"), "moto_s3.py"),
    (FakeKey, ("etag", "value", "size", "arn"), "moto_state.py"),
    (IAMBackend, ("create_role", "attach_role_policy"), "moto_state.py"),
    (STSBackend, ("get_caller_identity", "get_assumed_role_from_access_key"), "moto_state.py"),
    (EventStreamEncoder, ("encode_message",), "../http/event_stream.py"),
]


def backend(backends: Any, region: str = "aws") -> Any:
    """Return a new backend of a service."""
    return type(backends[ACCOUNT][region])(region, ACCOUNT)


@pytest.mark.parametrize(
    ("cls", "names", "module"), CLASSES, ids=[cls.__name__ for cls, _, _ in CLASSES]
)
def test_class_of_moto_when_read_then_has_the_members_that_persistence_calls(
    cls: type, names: tuple[str, ...], module: str
) -> None:
    """Methods and properties, by their names."""
    missing = [name for name in names if not hasattr(cls, name)]
    assert not missing, ADVICE.format(cls.__name__, f"no longer has {missing}", module)


@pytest.mark.parametrize("name", _WATCHED)
def test_method_of_moto_when_read_then_names_what_it_touches_as_before(name: str) -> None:
    """The bucket and the key of what a request changes are read from these arguments."""
    _, wanted = _WATCHED[name]
    method = inspect.unwrap(getattr(S3Backend, name))
    missing = set(wanted) - set(inspect.signature(method).parameters)
    said = f"no longer takes {sorted(missing)}"
    assert not missing, ADVICE.format(f"S3Backend.{name}", said, "moto_s3.py")


@pytest.mark.parametrize(
    ("made", "names", "module"),
    [
        (backend(s3_backends), ("buckets", "tagger", "_pagination_tokens"), "moto_s3.py"),
        (s3_backends, ("bucket_accounts",), "moto_s3.py"),
        (FakeKey("k", b"x", ACCOUNT, "us-west-2"), ("_value_buffer", "_tick"), "moto_state.py"),
        (
            FakeBucket("b", ACCOUNT, "us-west-2"),
            ("keys", "multiparts", "encryption", "policy", "partition", "account_id"),
            "moto_s3.py",
        ),
        (
            backend(iam_backends),
            ("roles", "users", "groups", "managed_policies", "aws_managed_policies"),
            "moto_state.py",
        ),
        (backend(kms_backends, "us-west-2"), ("keys",), "moto_state.py"),
    ],
    ids=["s3", "s3_backends", "FakeKey", "FakeBucket", "iam", "kms"],
)
def test_object_of_moto_when_made_then_has_the_attributes_that_persistence_reads(
    made: Any, names: tuple[str, ...], module: str
) -> None:
    """Attributes that a new object has."""
    missing = [name for name in names if not hasattr(made, name)]
    name = type(made).__name__
    assert not missing, ADVICE.format(name, f"no longer has {missing}", module)


def test_moto_when_installed_then_is_of_the_minor_release_that_is_pinned() -> None:
    """Another one may have other private parts; the bound goes up with this test at hand."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    (pinned,) = (
        found
        for found in map(Requirement, project["project"]["dependencies"])
        if found.name == "moto"
    )
    installed = version("moto")
    assert pinned.specifier.contains(installed), f"moto {installed} is not {pinned.specifier}."
    lower, upper = sorted(
        [int(number) for number in re.findall(r"\d+", str(bound))[:2]] for bound in pinned.specifier
    )
    assert upper == [lower[0], lower[1] + 1], f"{pinned.specifier} is not one minor release."
