"""S3's buckets, objects and uploads as documents, and which of them a request touches.

The bytes of objects are in files, one each, which documents name; they are read when needed.

moto accesses every object through a few methods of its backend. They are wrapped, so that a request
costs what it touches, not what the bucket contains. Multi-object deletes, copies, form uploads and
access logs use the same methods.
"""

import inspect
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import IO, Any

from moto.s3.models import MultipartDict, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.utilities.utils import md5_hash

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import Documents, write_key
from haikuft.sandbox.persistence.serializer import Codec

BUCKET, OBJECT, UPLOAD = "s3.bucket", "s3.object", "s3.upload"

Touched = set[tuple[str, ...]]
"""(kind, bucket) or (kind, bucket, key or upload id)."""

_WATCHED = {  # method -> (kind, the arguments that name what it touches)
    "create_bucket": (BUCKET, ("bucket_name",)),
    "get_bucket": (BUCKET, ("bucket_name",)),
    "get_object": (OBJECT, ("bucket_name", "key_name")),
    "put_object": (OBJECT, ("bucket_name", "key_name")),
    "delete_object": (OBJECT, ("bucket_name", "key_name")),
    "upload_part": (UPLOAD, ("bucket_name", "multipart_id")),
    "upload_part_copy": (UPLOAD, ("dest_bucket_name", "multipart_id")),
}
_NAME = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1024 * 1024  # bytes copied at a time
_OWN_DOCUMENTS = ("keys", "multiparts")  # attributes of a bucket with documents of their own
_READS = ("get_bucket", "get_object")  # the watched methods that a request which only reads calls
# What has been touched, and the methods that do not count, within a `watch`.
_watching: ContextVar[tuple[Touched, tuple[str, ...]]] = ContextVar("watching")


@contextmanager
def watch(*, writes_only: bool = False) -> Iterator[Touched]:
    """Collect what this thread touches within the block, or only what it writes there."""
    for name, (kind, arguments) in _WATCHED.items():
        method = getattr(S3Backend, name)
        if not hasattr(method, "__wrapped__"):
            setattr(S3Backend, name, _watched(method, kind, arguments))
    touched: Touched = set()
    token = _watching.set((touched, _READS if writes_only else ()))
    try:
        yield touched
    finally:
        _watching.reset(token)


def save(touched: Touched, documents: Documents, codec: Codec) -> None:
    """Write the documents of what was touched."""
    for bucket in sorted({names[1] for names in touched}):
        backend, found = _find(bucket)
        if found is None:
            for kind in (BUCKET, OBJECT, UPLOAD):
                _delete_all(kind, bucket, documents)
            continue
        tags = backend.tagger.tags.get(found.arn)
        document = {"bucket": codec.write(found, without=_OWN_DOCUMENTS), "tags": tags}
        documents.put(BUCKET, write_key(bucket), document)
        _save_uploads(found, touched, documents, codec)
        for key in sorted(names[2] for names in touched if names[:2] == (OBJECT, bucket)):
            versions = found.keys.getlist(key)
            described = _describe(backend, versions, codec) if versions else None
            documents.put(OBJECT, write_key(bucket, key), described)


def restore(documents: Documents, codec: Codec) -> None:
    """Restore moto's backends from the documents."""
    buckets: dict[str, Any] = {}
    for (name,), document in documents.load(BUCKET):
        bucket = codec.read(document["bucket"])
        bucket.keys, bucket.multiparts = _VersionedKeyStore(), MultipartDict()
        backend = s3_backends[bucket.account_id][bucket.partition]
        backend.buckets[name] = buckets[name] = bucket
        s3_backends.bucket_accounts[name] = (bucket.partition, bucket.account_id)
        if document["tags"] is not None:
            backend.tagger.tags[bucket.arn] = document["tags"]
    for (name, key), document in documents.load(OBJECT):
        bucket = buckets[name]
        bucket.keys.setlist(key, codec.read(document["versions"]))
        backend = s3_backends[bucket.account_id][bucket.partition]
        backend.tagger.tags.update(document["tags"])
        _restore_tokens(backend, key)
    for (name, upload_id), document in documents.load(UPLOAD):
        buckets[name].multiparts[upload_id] = codec.read(document)


def _restore_tokens(backend: Any, key: str) -> None:
    """Restore the tokens of listings: moto's token is a digest of a page's last name."""
    ends = [place + 1 for place, letter in enumerate(key) if letter == "/"]
    for name in (key, *(key[:end] for end in ends)):
        backend._pagination_tokens[md5_hash(name.encode("utf-8")).hexdigest()] = name


def _watched(method: Callable[..., Any], kind: str, arguments: tuple[str, ...]) -> Any:
    order = list(inspect.signature(method).parameters)
    places = [(argument, order.index(argument)) for argument in arguments]

    @wraps(method)
    def watched(*given: Any, **named: Any) -> Any:
        touched, ignored = _watching.get((None, ()))
        if touched is not None and method.__name__ not in ignored:
            values = [named[name] if name in named else given[place] for name, place in places]
            touched.add((kind, *map(str, values)))
        return method(*given, **named)

    return watched


def _find(bucket: str) -> tuple[Any, Any]:
    """Return the backend that has a bucket, and the bucket; None for both when there is none."""
    owner = s3_backends.bucket_accounts.get(bucket)
    if owner is None:
        return None, None
    partition, account = owner
    backend: Any = s3_backends[account][partition]
    return backend, backend.buckets.get(bucket)


def _describe(backend: Any, versions: list[Any], codec: Codec) -> dict[str, Any]:
    """Describe all versions of an object, delete markers among them, the latest last."""
    arns = [version.arn for version in versions if hasattr(version, "arn")]
    tags = {arn: backend.tagger.tags[arn] for arn in arns if arn in backend.tagger.tags}
    return {"versions": codec.write(versions), "tags": tags}


def _save_uploads(bucket: Any, touched: Touched, documents: Documents, codec: Codec) -> None:
    known = documents.keys(UPLOAD)
    uploads = {write_key(bucket.name, upload_id): upload_id for upload_id in bucket.multiparts}
    for key, upload_id in uploads.items():
        if key not in known or (UPLOAD, bucket.name, upload_id) in touched:
            documents.put(UPLOAD, key, codec.write(bucket.multiparts[upload_id]))
    _delete_all(UPLOAD, bucket.name, documents, but=uploads)


def _delete_all(kind: str, bucket: str, documents: Documents, but: Collection[str] = ()) -> None:
    """Delete a bucket's documents of a kind, but for those with these keys."""
    for key in documents.keys(kind):
        if json.loads(key)[0] == bucket and key not in but:
            documents.put(kind, key, None)


class StoredBytes:
    """A stored file with the methods of the buffer in which moto keeps an object's bytes.

    No file stays open between two reads, so many objects do not need many handles. A closed one
    raises ValueError, as a closed buffer does.
    """

    def __init__(self, path: Path | None, size: int) -> None:
        self._path = path
        self._at = 0
        self.size = size

    @property
    def name(self) -> str | None:
        """The file's name; None when this is closed."""
        return None if self._path is None else self._path.name

    def seek(self, offset: int) -> int:
        """Move to a byte, counted from the beginning."""
        self._open_path()
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all that are left.

        Raises SandboxError when the file is missing or has another size.
        """
        path = self._open_path()
        if not path.is_file() or path.stat().st_size != self.size:
            raise SandboxError(
                f"The file {path} should hold {self.size:,} bytes of an object, and does not. Put "
                "it back, or upload the object again."
            )
        with path.open("rb") as file:
            file.seek(self._at)
            data = file.read(size)
        self._at += len(data)
        return data

    def close(self) -> None:
        """Release the file, without deleting it."""
        self._path = None

    def _open_path(self) -> Path:
        if self._path is None:
            raise ValueError("I/O operation on closed file")
        return self._path


class ObjectFiles:
    """The directory of these files. Their names are random, never taken from a request."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, source: IO[bytes]) -> StoredBytes:
        """Copy a buffer, from its beginning, into a new file."""
        path = self._directory / uuid.uuid4().hex
        size = 0
        source.seek(0)
        with path.open("xb") as file:
            while block := source.read(_BLOCK):
                size += file.write(block)
        return StoredBytes(path, size)

    def open(self, name: str, size: int) -> StoredBytes:
        """Return the file with a name that `write` gave; reading finds out whether it exists.

        Raises SandboxError for a name that `write` cannot give.
        """
        if not _NAME.fullmatch(name):
            raise SandboxError(f"{name!r} is no name of a file in {self._directory}.")
        return StoredBytes(self._directory / name, size)

    def remove(self, names: Collection[str]) -> None:
        """Delete files; a missing one is ignored."""
        for name in names:
            (self._directory / name).unlink(missing_ok=True)

    def delete_others(self, kept: Collection[str]) -> None:
        """Delete the files that are not named: those of changes that were never written."""
        found = [path.name for path in self._directory.iterdir()]
        self.remove([name for name in found if _NAME.fullmatch(name) and name not in kept])
