"""The state of S3, IAM, STS and KMS: moto's objects, as documents in the database.

After each request that may change something, and before its response is sent, its changes are
written: a document for each bucket, object (with all its versions), upload in progress, and entity
of IAM, STS and KMS.
Documents contain results (ids, dates, secrets, names of files), so that the next start restores
the same objects. The bytes of S3's objects are in files, complete before a document names them and
deleted after the document. A request that changes nothing writes
nothing.

The entities of IAM, STS and KMS are the values of a backend's dictionaries: roles, users, keys.
They are few, so all are compared with the stored documents. Sessions of assumed roles and their
keys may be many; they do not change, so they are written once. Where one entity contains another (a
role its policies, a group its users), its document has the name of the other. A backend's other
attributes (the account's alias, its password policy, tags) are one document, with only those that
differ from a new backend's. There are no AWS managed policies: moto loads them only when told to.

A request that only reads changes nothing but the times at which keys and roles were last used.
These are written with the next change of IAM's entities, and when the sandbox closes.

moto's backends belong to the process, so a process holds one sandbox's data at a time: that of
the one opened last. The others refuse, so that none writes another's data into its own state.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.core.base_backend import BackendDict
from moto.iam import models as iam
from moto.kms import models as kms
from moto.s3 import models as s3
from moto.sts import models as sts

from haikuft.errors import SandboxError
from haikuft.package_data import read_toml
from haikuft.sandbox.persistence import moto_s3
from haikuft.sandbox.persistence.database import Database, Documents, write_key
from haikuft.sandbox.persistence.moto_s3 import ObjectFiles, StoredBytes
from haikuft.sandbox.persistence.serializer import Codec, Leaf

OBJECTS_DIRECTORY = "objects"

_CHANGES: dict[str, tuple[str, ...]] = {  # what a request to a service may change besides buckets
    "s3": (),
    "iam": ("iam", "sts"),
    "sts": ("iam", "sts"),
    "kms": ("kms",),
}
_SESSIONS = "assumed_roles"  # STS's list of sessions
_BACKENDS: dict[str, Any] = {
    "iam": iam.iam_backends,
    "sts": sts.sts_backends,
    "kms": kms.kms_backends,
}
_ENTITY, _REST = "{}.entity", "{}.backend"  # kinds of documents, by service
_NOT_WRITTEN = {  # the identity of the backend, and what it creates again
    *("account_id", "region_name", "partition"),
    *("account_summary", "aws_managed_policies", "policy_arn_regex"),
}

Name = tuple[str, str, str]
"""(service, account, Region or partition) of a backend."""


_last_opened: list["MotoState"] = []  # one at most; its data is what moto holds

CLASSES: tuple[type, ...] = tuple(
    getattr(import_module(module), name)
    for module, names in read_toml("haikuft.sandbox.persistence", "classes.toml").items()
    for name in names
)


class MotoState:
    """Moto's backends, stored in a state directory.

    Raises SandboxError, naming the database, when what is stored is not what `persist` writes.

    Attributes:
        lock: Held around every access to moto, and around all methods.
    """

    def __init__(self, database: Database, state: Path) -> None:
        self.lock = RLock()
        files = ObjectFiles(state / OBJECTS_DIRECTORY)
        self._codec = build_codec(files)
        self._documents = Documents(database, files.remove)
        _last_opened[:] = [self]
        BackendDict.reset()
        try:
            moto_s3.restore(self._documents, self._codec)
            _restore_identities(self._documents, self._codec)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"an entry is not what this version writes ({type(error).__name__}: {error})"
            raise database.damaged(reason) from error
        files.delete_others(self._documents.loaded_files)  # of changes that were never written

    @contextmanager
    def persist(self, service: str, *, reads: bool = False) -> Iterator[None]:
        """Write what the block, a request to a service, changes.

        Args:
            service: The service.
            reads: The request only reads; then only what is written to S3 in passing, such as
                access logs, is looked for.

        Raises SandboxError when something cannot be written; nothing is written then. It is also
        raised, before the block, when this process has opened another sandbox since.
        """
        if self not in _last_opened:
            raise SandboxError(
                "This process has opened another sandbox since, and holds that one's data now."
            )
        with moto_s3.watch(writes_only=reads) as touched:
            try:
                yield
            finally:
                if touched or not reads:
                    # STS adds sessions and their keys, and changes nothing that is there.
                    is_final = (lambda entity: True) if service == "sts" else _is_of_session
                    self._save(touched, () if reads else _CHANGES[service], is_final)

    def save(self) -> None:
        """Write what changes without a request for it: when keys and roles were last used."""
        if self in _last_opened:
            self._save(set(), _BACKENDS, lambda entity: False)

    def _save(
        self,
        touched: moto_s3.Touched,
        services: Collection[str],
        is_final: Callable[[Any], bool],
    ) -> None:
        with self._documents.transaction():
            moto_s3.save(touched, self._documents, self._codec)
            if services:
                _save_identities(services, self._documents, self._codec, is_final)


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


def _save_identities(
    services: Collection[str],
    documents: Documents,
    codec: Codec,
    is_final: Callable[[Any], bool],
) -> None:
    """Write the documents of the backends of these services.

    `is_final` says which entities are as they were when they were first written.
    """
    found = dict(_entities())
    names = {id(entity): name for name, entity in found.items()}
    for service in services:
        kind = _ENTITY.format(service)
        stored = set(documents.keys(kind))
        own = {write_key(*name): entity for name, entity in found.items() if name[0] == service}
        for key, entity in own.items():
            if key not in stored or not is_final(entity):
                documents.put(kind, key, codec.write(entity, entities=names))
        for key in stored - own.keys():
            documents.put(kind, key, None)
    for backend_name, backend in _backends():
        if backend_name[0] in services:
            document = _write_rest(backend, codec, names) or None
            documents.put(_REST.format(backend_name[0]), write_key(*backend_name), document)


def _restore_identities(documents: Documents, codec: Codec) -> None:
    """Restore moto's backends from the documents."""
    found = [row for service in _BACKENDS for row in documents.load(_ENTITY.format(service))]
    blanks = []
    for (service, account, region, table, key), document in found:
        entity, attributes = codec.blank(document), vars(_BACKENDS[service][account][region])
        if table == _SESSIONS:
            attributes[table].append(entity)
        else:
            attributes.setdefault(table, {})[key] = entity
        blanks.append((entity, document))
    for entity, document in blanks:
        codec.read(document, _find, blank=entity)
    for service, backends in _BACKENDS.items():
        for (_, account, region), document in documents.load(_REST.format(service)):
            rest = {key: codec.read(value, _find) for key, value in document.items()}
            vars(backends[account][region]).update(rest)


def _backends() -> Iterator[tuple[Name, Any]]:
    for service, accounts in _BACKENDS.items():
        for account, regions in list(accounts.items()):
            for region, backend in list(regions.items()):
                yield (service, account, region), backend


def _entities() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, backend in _backends():
        for attribute, table in vars(backend).items():
            if attribute == _SESSIONS:
                table = {session.access_key_id: session for session in table}
            if attribute not in _NOT_WRITTEN and _holds_entities(table):
                for key, entity in table.items():
                    yield (*name, attribute, key), entity


def _is_of_session(entity: Any) -> bool:
    """Whether this is a session of an assumed role, or its key: no request changes either."""
    return isinstance(entity, (sts.AssumedRole, iam.AccessKey)) and entity.role_arn is not None


def _holds_entities(value: Any) -> bool:
    """Whether this is a dictionary of entities."""
    return type(value) is dict and any(hasattr(item, "__dict__") for item in value.values())


def _write_rest(backend: Any, codec: Codec, entities: Mapping[int, Sequence[str]]) -> Any:
    """Describe the attributes that are not entities, where they differ from a new backend's."""
    new = _write_new(cast(Any, type(backend)), backend.region_name, backend.account_id, codec)
    written = _write_attributes(backend, codec, entities)
    return {key: value for key, value in written.items() if new.get(key) != value}


@lru_cache(maxsize=64)
def _write_new(kind: Any, region: str, account: str, codec: Codec) -> dict[str, Any]:
    return _write_attributes(kind(region, account), codec, {})


def _write_attributes(
    backend: Any, codec: Codec, entities: Mapping[int, Sequence[str]]
) -> dict[str, Any]:
    return {
        attribute: codec.write(value, entities=entities)
        for attribute, value in vars(backend).items()
        if attribute not in (*_NOT_WRITTEN, _SESSIONS) and not _holds_entities(value)
    }


def _find(name: Sequence[str]) -> Any:
    """Find the entity with a name."""
    service, account, region, table, key = name
    try:
        return vars(_BACKENDS[service][account][region])[table][key]
    except KeyError:
        raise SandboxError(
            f"The sandbox's state names {service}'s {key} among the {table}, but does not contain "
            "it. Empty the sandbox with `haikuft sandbox reset`."
        ) from None
