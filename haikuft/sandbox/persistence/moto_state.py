"""The state of S3, IAM, STS and KMS: moto's objects, as documents in the database.

After each request, and before its response is sent, its changes are written: a document for
each bucket, object (with all its versions), upload in progress, and entity of IAM, STS and KMS.
Documents contain results (ids, dates, secrets, names of files), so that the next start restores
the same objects. The bytes of S3's objects are in files, complete before a document names them and
deleted after the document. A request that changes nothing writes
nothing.

moto's backends belong to the process, so a process holds one sandbox's data at a time: that of
the one opened last. The others refuse, so that none writes another's data into its own state.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.core.base_backend import BackendDict
from moto.iam import models as iam
from moto.kms import models as kms
from moto.kms import utils as kms_utils
from moto.s3 import models as s3
from moto.sts import models as sts
from moto.utilities.tagging_service import TaggingService
from moto.utilities.utils import LowercaseDict
from requests.structures import CaseInsensitiveDict

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence import moto_identity, moto_s3
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.persistence.documents import Documents, ObjectFiles, StoredBytes
from haikuft.sandbox.persistence.serializer import Codec, Leaf

OBJECTS_DIRECTORY = "objects"

_CHANGES: dict[str, tuple[str, ...]] = {  # what a request to a service may change besides buckets
    "s3": (),
    "iam": ("iam", "sts"),
    "sts": ("iam", "sts"),
    "kms": ("kms",),
}
_last_opened: list["MotoState"] = []  # one at most; its data is what moto holds

CLASSES: tuple[type, ...] = (
    *(CaseInsensitiveDict, LowercaseDict, TaggingService),
    *(s3.FakeBucket, s3.FakeKey, s3.FakeDeleteMarker, s3.FakeMultipart),
    *(s3.FakeAcl, s3.FakeGrant, s3.FakeGrantee, s3.PublicAccessBlock, s3.CorsRule),
    *(s3.LifecycleRule, s3.LifecycleFilter, s3.LifecycleAndFilter, s3.LifecycleTransition),
    *(s3.LifeCycleNoncurrentVersionTransition, s3.FakeBucketInventoryConfiguration),
    *(s3.NotificationConfiguration, s3.Notification),
    *(iam.Role, iam.User, iam.Group, iam.ManagedPolicy, iam.PolicyVersion, iam.InlinePolicy),
    *(iam.AccessKey, iam.AccessKeyLastUsed, iam.InstanceProfile, iam.AccountPasswordPolicy),
    *(iam.MFADevice, iam.VirtualMfaDevice, iam.SshPublicKey),
    *(iam.Certificate, iam.SigningCertificate, iam.SAMLProvider, iam.OpenIDConnectProvider),
    sts.AssumedRole,
    *(kms.Key, kms.Alias, kms.Grant, kms_utils.RSAPrivateKey, kms_utils.ECDSAPrivateKey),
)


class MotoState:
    """Moto's backends, stored in a state directory. The store's lock is held around all methods."""

    def __init__(self, database: Database, state: Path) -> None:
        files = ObjectFiles(state / OBJECTS_DIRECTORY)
        self._codec = build_codec(files)
        self._documents = Documents(database, files)
        _last_opened[:] = [self]
        BackendDict.reset()
        moto_s3.restore(self._documents, self._codec)
        moto_identity.restore(self._documents, self._codec)
        self._documents.delete_unnamed_files()

    @contextmanager
    def persist(self, service: str) -> Iterator[None]:
        """Write what the block, a request to a service, changes.

        Raises SandboxError when something cannot be written; nothing is written then. It is also
        raised, before the block, when this process has opened another sandbox since.
        """
        if self not in _last_opened:
            raise SandboxError(
                "This process has opened another sandbox since, and holds that one's data now."
            )
        with moto_s3.watch() as touched:
            try:
                yield
            finally:
                self._save(touched, _CHANGES[service])

    def save(self) -> None:
        """Write what changes without a request for it: when keys and roles were last used."""
        if self in _last_opened:
            self._save(set(), moto_identity.SERVICES)

    def _save(self, touched: moto_s3.Touched, services: Collection[str]) -> None:
        with self._documents.transaction():
            moto_s3.save(touched, self._documents, self._codec)
            if services:
                moto_identity.save(services, self._documents, self._codec)


def build_codec(files: ObjectFiles) -> Codec:
    """Return the codec of moto's objects, with their bytes in `files`."""

    def store(value: Any) -> None:
        """Write an object's bytes into a file, and fix the attributes that reading would change."""
        if type(value) is not s3.FakeKey:
            return
        value._tick = 0  # counts accesses, and nothing depends on it
        key: Any = value
        buffer = key._value_buffer
        if isinstance(buffer, StoredBytes):
            return
        if buffer.closed:  # of a deleted version, or of a part that is in the whole now
            key._value_buffer = StoredBytes(None, 0)
            return
        _ = key.etag  # moto computes it on the first access
        key._value_buffer = files.write(buffer)
        buffer.close()

    def read_file(plain: Any) -> StoredBytes:
        name, size = plain
        return StoredBytes(None, size) if name is None else files.open(name, size)

    private_keys = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)
    leaves = (
        Leaf("file", (StoredBytes,), lambda stored: [stored.name, stored.size], read_file),
        Leaf("private_key", private_keys, _write_private_key, _read_private_key),
    )
    return Codec(CLASSES, leaves=leaves, prepare=store)


def _write_private_key(key: Any) -> str:
    data = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return cast(bytes, data).decode("ascii")


def _read_private_key(text: str) -> Any:
    """Load a key without testing its primes again, which takes 40 ms a key."""
    return serialization.load_pem_private_key(
        text.encode("ascii"), None, unsafe_skip_rsa_key_validation=True
    )
