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
# Tag -> the type of a container; a dictionary is the list of its pairs.
_CONTAINERS: dict[str, Any] = {"dict": dict, "ordered": OrderedDict, "tuple": tuple, "set": set}
_TAGS = {kind: tag for tag, kind in _CONTAINERS.items()}

_UNKNOWN = (
    "The sandbox's state holds a {what}, which this version does not know. Use the version that "
    "wrote it, or empty the sandbox with `haikuft sandbox reset`."
)

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
        named: Mapping[int, Name] = entities or {}
        numbers: dict[int, int] = {}  # id() of an object in this document -> its number

        def write(value: Any) -> Any:
            kind = type(value)
            if kind in _PLAIN:
                return value
            if kind is list:
                return [write(item) for item in value]
            if kind in _TAGS:
                return {_TAGS[kind]: [write(item) for item in _items_of(value)]}
            if id(value) in named:
                return {"entity": list(named[id(value)])}
            if id(value) in numbers:
                return {"same": numbers[id(value)]}
            if kind in self._names:
                return write_object(value)
            for leaf in self._leaves:
                if isinstance(value, leaf.types):
                    return {leaf.tag: leaf.write(value)}
            raise SandboxError(
                f"The sandbox cannot store a {kind.__module__}:{kind.__qualname__}, so this change "
                "would be lost when it stops. The sandbox's serializer must be extended."
            )

        def write_object(value: Any, without: Collection[str] = ()) -> Any:
            self._prepare(value)
            numbers[id(value)] = len(numbers)
            attributes = {
                attribute: item if type(item) in _PLAIN else write(item)
                for attribute, item in vars(value).items()
                if attribute not in without
            }
            return {"object": [self._names[type(value)], attributes]}

        return write_object(value, without) if type(value) in self._names else write(value)

    def blank(self, document: Any) -> Any:
        """Create the object that a document describes, without attributes."""
        name = document["object"][0]
        cls: Any = self._classes.get(name)
        if cls is None:
            raise SandboxError(_UNKNOWN.format(what=name))
        return cls.__new__(cls)

    def read(
        self, document: Any, find: Callable[[Name], Any] | None = None, *, blank: Any = None
    ) -> Any:
        """Convert a document to its value.

        Args:
            document: What `write` returned.
            find: Finds entities by name.
            blank: The object, if `blank` has created it already; it gets its attributes.

        Raises SandboxError for an unknown class or kind of value.
        """
        made: list[Any] = []

        def read(document: Any, value: Any = None) -> Any:
            if type(document) in _PLAIN:
                return document
            if type(document) is list:
                return [read(item) for item in document]
            ((tag, inner),) = document.items()
            if tag == "object":
                value = self.blank(document) if value is None else value
                made.append(value)
                vars(value).update({name: read(item) for name, item in inner[1].items()})
                return value
            if tag in _CONTAINERS:
                return _CONTAINERS[tag](read(item) for item in inner)
            if tag == "same":
                return made[inner]
            if tag == "entity" and find is not None:
                return find(inner)
            if tag in self._readers:
                return self._readers[tag](inner)
            raise SandboxError(_UNKNOWN.format(what=f"value of the kind {tag!r}"))

        return read(document, blank)


def _items_of(container: Any) -> Iterable[Any]:
    """List the items of a container as lists and other values; of a dictionary, its pairs."""
    if isinstance(container, dict):
        return ([key, item] for key, item in container.items())
    return sorted(container) if isinstance(container, set) else container
