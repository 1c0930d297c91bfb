"""What outlives the server of S3, IAM, STS and KMS: moto's objects, kept in the ledger.

After each request, and before its answer leaves, what it changed is written down: a row for
each bucket, object (with all its versions), upload in progress, and entity of IAM, STS and KMS.
Rows hold results (ids, dates, secrets, names of files with bytes), so that the next start puts
the same things back. The bytes of objects lie in files of their own, whole before a row names
them and deleted after the row is gone. A request that changes nothing writes nothing.

moto's backends belong to the process, so a process holds one sandbox's data at a time: that of
the one opened last. The others refuse, so that none writes another's data into its own state.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from moto.core.base_backend import BackendDict

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence import moto_identity, moto_s3
from haikuft.sandbox.persistence.database import Ledger
from haikuft.sandbox.persistence.documents import Rows
from haikuft.sandbox.persistence.moto_classes import build_codec
from haikuft.sandbox.persistence.object_files import ObjectFiles

OBJECTS_DIRECTORY = "objects"

_CHANGES: dict[str, tuple[str, ...]] = {  # what a request to a service may change besides buckets
    "s3": (),
    "iam": ("iam", "sts"),
    "sts": ("iam", "sts"),
    "kms": ("kms",),
}
_last_opened: list["Keeper"] = []  # one at most; its data is what moto holds


class Keeper:
    """Keeps moto's backends in a state directory. The store's lock is held around all it does."""

    def __init__(self, ledger: Ledger, state: Path) -> None:
        files = ObjectFiles(state / OBJECTS_DIRECTORY)
        self._codec = build_codec(files)
        self._rows = Rows(ledger, files)
        _last_opened[:] = [self]
        BackendDict.reset()
        moto_s3.restore(self._rows, self._codec)
        moto_identity.restore(self._rows, self._codec)
        files.sweep(set(self._rows.files()))

    @contextmanager
    def keeping(self, service: str) -> Iterator[None]:
        """Keep what the block, a request to a service, changes.

        Raises SandboxError when something cannot be kept; nothing is written then. So it does,
        before the block, when this process has opened another sandbox since.
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
        """Keep what changed beside the requests for it: when keys and roles were last used."""
        if self in _last_opened:
            self._save(set(), moto_identity.SERVICES)

    def _save(self, touched: moto_s3.Touched, services: Collection[str]) -> None:
        try:
            moto_s3.stage(touched, self._rows, self._codec)
            if services:
                moto_identity.stage(services, self._rows, self._codec)
            self._rows.commit()
        finally:
            self._rows.discard()
