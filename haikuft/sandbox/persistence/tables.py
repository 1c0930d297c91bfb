"""Tables that survive: values by key, whose changes are in the ledger before anyone hears of them.

    tables = Tables(ledger, root)
    jobs = tables.add("bedrock.jobs", Job)
    with tables.lock:
        jobs[job.arn] = job  # in the ledger when the block is left

Values are replaced, never changed in place. They are written by msgspec in MessagePack: records
are frozen dataclasses, and paths in them are kept relative to a root that may be moved.
"""

import threading
from collections.abc import Iterator, MutableMapping, ValuesView
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from haikuft.sandbox.persistence.database import Change, Ledger

Value = TypeVar("Value")


class Table(MutableMapping[str, Value]):
    """One kind of values; made by `Tables.add`. Anyone may read, the lock's holder may change."""

    def __init__(self, kind: str, entries: dict[str, Value], lock: "KeepingLock") -> None:
        self._kind = kind
        self._entries = entries
        self._lock = lock

    def __getitem__(self, key: str) -> Value:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def values(self) -> ValuesView[Value]:
        """Return the values, at the speed of a dict's."""
        return self._entries.values()

    def __setitem__(self, key: str, value: Value) -> None:
        self._lock.note(self._kind, key, self._entries)
        self._entries[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self._entries:
            raise KeyError(key)
        self._lock.note(self._kind, key, self._entries)
        del self._entries[key]


class KeepingLock:
    """A re-entrant lock; who lets go of it altogether has the changes written, all or none.

    When the block raised, or the ledger cannot be written (SandboxError), all tables are again as
    they were when the lock was taken.
    """

    def __init__(self, ledger: Ledger, root: Path) -> None:
        self._ledger = ledger
        self._encoder = msgspec.msgpack.Encoder(enc_hook=lambda value: _relative(value, root))
        self._lock = threading.RLock()
        self._holder = 0
        self._depth = 0
        # (kind, key) -> the table's entries and what stood there before; None for nothing
        self._before: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {}

    def __enter__(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._depth == 1 and self._before:
                self._leave(keep=error is None)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._holder = 0
            self._lock.release()

    def note(self, kind: str, key: str, entries: dict[str, Any]) -> None:
        """Remember what stands in a table before it is changed."""
        if self._holder != threading.get_ident():
            raise RuntimeError(f"{kind} is changed without the lock, so nothing would keep it.")
        self._before.setdefault((kind, key), (entries, entries.get(key)))

    def _leave(self, *, keep: bool) -> None:
        before, self._before = self._before, {}
        try:
            if keep:
                self._ledger.apply([self._change(*place, before[place][0]) for place in before])
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                _put_back(before)

    def _change(self, kind: str, key: str, entries: dict[str, Any]) -> Change:
        return kind, key, self._encoder.encode(entries[key]) if key in entries else None


class Tables:
    """The tables of one ledger, and the lock around them.

    Args:
        ledger: Where they are kept.
        root: What paths in the values are relative to.
    """

    def __init__(self, ledger: Ledger, root: Path) -> None:
        self.lock = KeepingLock(ledger, root)
        self._ledger = ledger
        self._root = root

    def add(self, kind: str, value_type: type[Value]) -> Table[Value]:
        """Make a table with what the ledger has of that kind.

        Raises SandboxError, naming the file, for an entry that is not such a value.
        """
        decoder = msgspec.msgpack.Decoder(value_type, dec_hook=lambda _, text: self._root / text)
        entries: dict[str, Value] = {}
        for key, data in self._ledger.read(kind).items():
            try:
                entries[key] = decoder.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise self._ledger.damaged(f"{key} among {kind}: {error}") from error
        return Table(kind, entries, self.lock)


def _relative(value: object, root: Path) -> str:
    if isinstance(value, Path):
        return str(value.relative_to(root))
    raise NotImplementedError(f"The ledger does not know how to keep a {type(value).__name__}.")


def _put_back(before: dict[tuple[str, str], tuple[dict[str, Any], Any]]) -> None:
    for (_, key), (entries, value) in before.items():
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
