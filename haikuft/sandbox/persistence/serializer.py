"""Serialize objects to plain JSON and back, without executing code from the data.

Only registered classes are written or read; an object is created by its `__new__` and gets its
attributes, nothing else. Any other value raises a SandboxError that names it, so that nothing is
lost silently.

A list is an array. Everything else that JSON lacks is an object with one member: `dict`,
`ordered`, `tuple`, `set`, `bytes` (Base64), `time` (ISO 8601), `object` (class and attributes),
`same` (the n-th object of this document, from 0), `entity` (one that has a document of its own),
`lock`, and what `Leaf` adds.
"""

import threading
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from haikuft.errors import SandboxError

_PLAIN = frozenset((str, int, float, bool, type(None)))
# Tag -> the type of a container: of keys with values, and of items.
_PAIRS: dict[str, Any] = {"dict": dict, "ordered": OrderedDict}
_ITEMS: dict[str, Any] = {"tuple": tuple, "set": set}
_TAGS = {kind: tag for tag, kind in (_PAIRS | _ITEMS).items()}

Name = Sequence[str]
"""What one document calls an object that has a document of its own."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Values of foreign types that are written as one plain value.

    Attributes:
        tag: The member that marks them.
        types: Their types; subclasses count, too.
        write: Value to plain value.
        read: Plain value to value.
    """

    tag: str
    types: tuple[type, ...]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_LEAVES = (
    Leaf("time", (datetime,), datetime.isoformat, datetime.fromisoformat),
    Leaf("bytes", (bytes,), lambda value: b64encode(value).decode("ascii"), b64decode),
    Leaf("lock", (type(threading.Lock()),), lambda lock: None, lambda _: threading.Lock()),
)


class Codec:
    """Serializes objects of registered classes.

    Args:
        classes: The registered classes; each is named by its module and name.
        leaves: Further values.
        prepare: Called with each object before its attributes are written.
    """

    def __init__(
        self,
        classes: Iterable[type],
        *,
        leaves: Sequence[Leaf] = (),
        prepare: Callable[[Any], None] = lambda value: None,
    ) -> None:
        self._names = {cls: f"{cls.__module__}:{cls.__qualname__}" for cls in classes}
        self._classes = {name: cls for cls, name in self._names.items()}
        self._leaves = (*_LEAVES, *leaves)
        self._readers = {leaf.tag: leaf.read for leaf in self._leaves}
        self._prepare = prepare

    def write(
        self,
        value: Any,
        *,
        entities: Mapping[int, Name] | None = None,
        without: Collection[str] = (),
    ) -> Any:
        """Convert a value to plain JSON.

        Args:
            value: The value; written out even when it is an entity itself.
            entities: `id()` to name of objects that are written elsewhere.
            without: Attributes of `value` itself that are left out.

        Raises SandboxError for what cannot be written.
        """
        return _Writing(self, entities or {}).start(value, without)

    def blank(self, document: Any) -> Any:
        """Create the object that a document describes, without attributes."""
        return self._make(document["object"][0])

    def fill(self, value: Any, document: Any, find: Callable[[Name], Any] | None = None) -> None:
        """Set the attributes of an object from `blank`; `find` finds entities by name."""
        _Reading(self, find).fill(value, document["object"][1])

    def read(self, document: Any, find: Callable[[Name], Any] | None = None) -> Any:
        """Convert a document to its value; `find` finds entities by name.

        Raises SandboxError for an unknown class or kind of value.
        """
        return _Reading(self, find).read(document)

    def _make(self, name: str) -> Any:
        cls: Any = self._classes.get(name)
        if cls is None:
            raise SandboxError(
                f"The sandbox's state holds a {name}, which this version does not know. Use the "
                "version that wrote it, or empty the sandbox with `haikuft sandbox reset`."
            )
        return cls.__new__(cls)


class _Writing:
    """The state of writing one document."""

    def __init__(self, codec: Codec, entities: Mapping[int, Name]) -> None:
        self._codec = codec
        self._entities = entities
        self._numbers: dict[int, int] = {}

    def start(self, value: Any, without: Collection[str]) -> Any:
        name = self._codec._names.get(type(value))
        return self.write(value) if name is None else self._object(value, name, without)

    def write(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self.write(item) for item in value]
        tag = _TAGS.get(kind)
        if tag in _PAIRS:
            return {tag: [[self.write(key), self.write(item)] for key, item in value.items()]}
        if tag is not None:
            return {tag: [self.write(item) for item in (sorted(value) if tag == "set" else value)]}
        if id(value) in self._entities:
            return {"entity": list(self._entities[id(value)])}
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        name = self._codec._names.get(kind)
        if name is not None:
            return self._object(value, name, ())
        for leaf in self._codec._leaves:
            if isinstance(value, leaf.types):
                return {leaf.tag: leaf.write(value)}
        raise SandboxError(
            f"The sandbox cannot store a {kind.__module__}:{kind.__qualname__}, so this change "
            "would be lost when it stops. The sandbox's serializer must be extended."
        )

    def _object(self, value: Any, name: str, without: Collection[str]) -> Any:
        self._codec._prepare(value)
        self._numbers[id(value)] = len(self._numbers)
        attributes = {
            attribute: item if type(item) in _PLAIN else self.write(item)
            for attribute, item in vars(value).items()
            if attribute not in without
        }
        return {"object": [name, attributes]}


class _Reading:
    """The state of reading one document."""

    def __init__(self, codec: Codec, find: Callable[[Name], Any] | None) -> None:
        self._codec = codec
        self._find = find
        self._made: list[Any] = []

    def fill(self, value: Any, attributes: Mapping[str, Any]) -> None:
        self._made.append(value)
        vars(value).update({name: self.read(item) for name, item in attributes.items()})

    def read(self, document: Any) -> Any:
        if type(document) in _PLAIN:
            return document
        if type(document) is list:
            return [self.read(item) for item in document]
        ((tag, inner),) = document.items()
        if tag == "object":
            value = self._codec._make(inner[0])
            self.fill(value, inner[1])
            return value
        if tag in _PAIRS:
            return _PAIRS[tag]((self.read(key), self.read(item)) for key, item in inner)
        if tag in _ITEMS:
            return _ITEMS[tag](self.read(item) for item in inner)
        if tag == "same":
            return self._made[inner]
        if tag == "entity" and self._find is not None:
            return self._find(inner)
        if tag in self._codec._readers:
            return self._codec._readers[tag](inner)
        raise SandboxError(
            f"The sandbox's state holds a value of the kind {tag!r}, which this version does not "
            "know. Use the version that wrote it, or empty the sandbox with `haikuft sandbox "
            "reset`."
        )
