"""Which of moto's classes are stored: all that its backends can contain."""

import inspect
import re
import threading
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from moto.iam import models as iam
from moto.kms import models as kms
from moto.kms import utils as kms_utils
from moto.s3 import models as s3
from moto.sts import models as sts

from haikuft.sandbox.persistence.moto_s3 import ObjectFiles, StoredBytes
from haikuft.sandbox.persistence.moto_state import CLASSES, build_codec

NOT_KEPT = {
    "AWSManagedPolicy": "AWS's own, which moto makes again",
    "AccountSummary": "counts what the backend holds",
    "FakeTableStorageBucket": "of S3 Tables, which the sandbox does not serve",
    "MultipartDict": "what holds a bucket's uploads, each of which has its own row",
    "MultipartChecksumBuilder": "lives as long as one request",
    "Policy": "the class above ManagedPolicy",
    "Token": "is answered and not held",
}


HELPERS = re.compile(r".*(Backend|BackendDict)|Abstract.*|MetricProvider")


@pytest.mark.parametrize("module", [s3, iam, sts, kms, kms_utils])
def test_classes_of_moto_are_kept_or_named_with_a_reason(module: Any) -> None:
    """A class that moto brings with a new version is noticed here, not when its data is lost."""
    found = [
        cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__
        and not issubclass(cls, (Enum, tuple))
        and not HELPERS.fullmatch(name)
    ]
    assert found
    assert [cls for cls in found if cls not in CLASSES and cls.__name__ not in NOT_KEPT] == []


def test_bytes_of_an_object_when_written_then_lie_in_a_file(tmp_path: Path) -> None:
    """The object reads from the file from then on; its ETag is known without reading it."""
    files = ObjectFiles(tmp_path)
    codec = build_codec(files)
    key = s3.FakeKey("k", b"text", account_id="123456789012", region_name="us-west-2")
    document = codec.write(key)
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == b"text"
    assert isinstance(key._value_buffer, StoredBytes)
    assert codec.write(key) == document
    found = codec.read(document)
    path.unlink()
    assert (found.size, found.etag) == (4, '"1cb251ec0d568de6a929b520c4aed8d1"')
    assert isinstance(found.lock, type(threading.Lock()))
    for made in (key, found):
        made.dispose()


def test_object_without_bytes_when_read_again_then_has_none(tmp_path: Path) -> None:
    """A version that was deleted, and a part that is in the whole, have no file."""
    codec = build_codec(ObjectFiles(tmp_path))
    key = s3.FakeKey("k", b"text", account_id="123456789012", region_name="us-west-2")
    key.dispose()
    found = codec.read(codec.write(key))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        _ = found.value
    found.dispose()


def test_private_keys_when_read_again_then_are_the_same_keys(tmp_path: Path) -> None:
    """What one signs the other verifies."""
    codec = build_codec(ObjectFiles(tmp_path))
    for spec, algorithm in (("RSA_2048", "RSASSA_PSS_SHA_256"), ("ECC_NIST_P521", "ECDSA_SHA_512")):
        key = kms_utils.generate_private_key(spec)
        found = codec.read(codec.write(key))
        assert key.verify(b"text", found.sign(b"text", algorithm), algorithm)
        assert found.public_key() == key.public_key()
