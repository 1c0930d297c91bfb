"""What moto's backends hold: the classes that the sandbox keeps, and how their values are kept."""

from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.iam import models as iam
from moto.kms import models as kms
from moto.kms import utils as kms_utils
from moto.s3 import models as s3
from moto.sts import models as sts
from moto.utilities.tagging_service import TaggingService
from moto.utilities.utils import LowercaseDict
from requests.structures import CaseInsensitiveDict

from haikuft.sandbox.persistence.object_files import ObjectFiles, StoredBytes
from haikuft.sandbox.persistence.serializer import Codec, Leaf

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


def build_codec(files: ObjectFiles) -> Codec:
    """Return the codec of moto's objects, with their bytes in `files`."""

    def store(value: Any) -> None:
        """Put an object's bytes into a file, and settle what reading it would change."""
        if type(value) is not s3.FakeKey:
            return
        value._tick = 0  # counts how often it was looked at, and nothing depends on it
        key: Any = value
        buffer = key._value_buffer
        if isinstance(buffer, StoredBytes):
            return
        if buffer.closed:  # of a deleted version, or of a part that is in the whole now
            key._value_buffer = StoredBytes(None, 0)
            return
        _ = key.etag  # moto works it out when it is first asked for
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
    """Load a key; that its primes are primes is not proven again, which takes 40 ms a key."""
    return serialization.load_pem_private_key(
        text.encode("ascii"), None, unsafe_skip_rsa_key_validation=True
    )
