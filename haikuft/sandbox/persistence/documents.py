"""Rows of the ledger that are only written when they change, with the files that they name."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from haikuft.sandbox.persistence.database import Change, Ledger
from haikuft.sandbox.persistence.object_files import ObjectFiles

_write = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# A quotation mark inside a JSON string has a backslash before it, so this is never text.
_FILE = re.compile(rb'\{"file":\["([0-9a-f]{32})"')


def write_key(*names: str) -> str:
    """Write the names that make up a row's key as one text."""
    return json.dumps(names)


@dataclass(frozen=True, slots=True)
class _Row:
    """What is known of a row: its place among all rows, what it says, and its files."""

    number: int
    digest: bytes
    files: frozenset[str]


@dataclass(slots=True)
class _Staged:
    changes: list[Change] = field(default_factory=list)
    rows: list[tuple[str, str, _Row | None]] = field(default_factory=list)


class Rows:
    """The rows of some kinds; each is a JSON document, and rows keep the order they came in."""

    def __init__(self, ledger: Ledger, files: ObjectFiles) -> None:
        self._ledger = ledger
        self._files = files
        self._known: dict[str, dict[str, _Row]] = {}
        self._next = 0
        self._staged = _Staged()

    def load(self, kind: str) -> list[tuple[tuple[str, ...], Any]]:
        """Read all rows of a kind: the names of the key, and the document, in their order."""
        found = []
        for key, data in self._ledger.read(kind).items():
            number, document = json.loads(data)
            self._next = max(self._next, number + 1)
            self._known.setdefault(kind, {})[key] = self._describe(number, data)
            found.append((number, tuple(json.loads(key)), document))
        return [(names, document) for _, names, document in sorted(found, key=lambda row: row[0])]

    def keys(self, kind: str) -> list[str]:
        """Return the keys of a kind's rows."""
        return list(self._known.get(kind, {}))

    def stage(self, kind: str, key: str, document: Any) -> None:
        """Note what a row is to say from now on; None when it is to go. See `commit`."""
        known = self._known.get(kind, {}).get(key)
        if document is None:
            if known is not None:
                self._staged.changes.append((kind, key, None))
                self._staged.rows.append((kind, key, None))
            return
        number = self._next if known is None else known.number
        data = _write([number, document]).encode("ascii")
        if known is None:
            self._next += 1
        elif known.digest == _digest(data):
            return
        self._staged.changes.append((kind, key, data))
        self._staged.rows.append((kind, key, self._describe(number, data)))

    def commit(self) -> None:
        """Write what was staged, all of it at once; then delete files that no row names now."""
        staged, self._staged = self._staged, _Staged()
        if not staged.changes:
            return
        self._ledger.apply(staged.changes)
        before: set[str] = set()
        after: set[str] = set()
        for kind, key, row in staged.rows:
            known = self._known.setdefault(kind, {})
            before |= known[key].files if key in known else set()
            if row is None:
                known.pop(key, None)
            else:
                known[key] = row
                after |= row.files
        self._files.remove(before - after)

    def discard(self) -> None:
        """Forget what was staged."""
        self._staged = _Staged()

    def files(self) -> Iterator[str]:
        """Yield the name of every file that a row names."""
        for rows in self._known.values():
            for row in rows.values():
                yield from row.files

    def _describe(self, number: int, data: bytes) -> _Row:
        return _Row(number, _digest(data), frozenset(m.decode() for m in _FILE.findall(data)))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
