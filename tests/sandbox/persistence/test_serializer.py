"""Objects to JSON and back: the same values, only of known classes, and no code run."""

import json
import threading
from collections import OrderedDict
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.serializer import Codec, Leaf


class Person:
    """Someone with attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Stranger:
    """Someone the codec does not know."""


class Thumb:
    """A foreign value."""

    def __init__(self, size: int) -> None:
        self.size = size


CODEC = Codec(
    [Person], leaves=[Leaf("thumb", (Thumb,), lambda thumb: thumb.size, lambda size: Thumb(size))]
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.dictionaries(st.text(), inner).map(OrderedDict)
        | st.sets(st.text())
    ),
    max_leaves=20,
)


def through_json(document: Any) -> Any:
    """Write a document down and read it."""
    return json.loads(json.dumps(document))


@given(VALUES)
def test_plain_values_when_read_again_then_are_the_same(value: Any) -> None:
    """Values, and their types, come back from JSON."""
    found = CODEC.read(through_json(CODEC.write(value)))
    assert found == value
    assert type(found) is type(value)
    assert CODEC.write(found) == CODEC.write(value)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_objects_when_read_again_then_have_the_same_attributes(attributes: dict[str, Any]) -> None:
    """An object is its class and its attributes, in their order."""
    found = CODEC.read(through_json(CODEC.write(Person(**attributes))))
    assert type(found) is Person
    assert list(vars(found).items()) == list(attributes.items())


def test_objects_held_twice_when_read_again_then_are_one() -> None:
    """Within a document, one object stays one, also in a circle."""
    child = Person(name="child")
    parent = Person(children=[child], favourite=child)
    child.parent = parent
    found = CODEC.read(through_json(CODEC.write([parent, parent])))
    assert found[0] is found[1]
    assert found[0].children[0] is found[0].favourite
    assert found[0].favourite.parent is found[0]


def test_entities_when_written_then_only_their_names_are() -> None:
    """An object with a document of its own is named in the others, and found by that name."""
    friend = Person(name="friend")
    person = Person(friend=friend, itself=None)
    person.itself = person
    entities = {id(friend): ("people", "friend"), id(person): ("people", "person")}
    document = through_json(CODEC.write(person, entities=entities))
    blank = CODEC.blank(document)
    everyone = {"friend": friend, "person": blank}
    CODEC.read(document, lambda name: everyone[name[1]], blank=blank)
    assert blank.friend is friend
    assert blank.itself is blank


def test_attributes_left_out_are_those_of_the_value_itself() -> None:
    """`without` is about the outermost object only."""
    document = CODEC.write(Person(kept=1, left=2, inner=Person(left=3)), without=["left"])
    found = CODEC.read(document)
    assert not hasattr(found, "left")
    assert found.inner.left == 3


def test_locks_and_leaves_when_read_again_then_are_new() -> None:
    """A lock comes back open; a foreign value by its own two functions."""
    lock = threading.Lock()
    lock.acquire()
    found = CODEC.read(through_json(CODEC.write(Person(lock=lock, thumb=Thumb(5)))))
    assert found.lock.acquire(blocking=False)
    assert (type(found.thumb), found.thumb.size) == (Thumb, 5)


@pytest.mark.parametrize("value", [Stranger(), len, Person, 1j, type("Sub", (Person,), {})()])
def test_write_when_class_is_unknown_then_says_which(value: Any) -> None:
    """Nothing is left out without a word; a subclass is another class."""
    with pytest.raises(SandboxError, match=rf"cannot store a .*{type(value).__name__}"):
        CODEC.write({"deep": [Person(value=value)]})


@pytest.mark.parametrize(
    "document",
    [
        {"object": ["builtins:eval", {}]},
        {"object": ["subprocess:Popen", {"args": "ls"}]},
        {"object": ["tests:Stranger", {}]},
        {"reduce": ["os.system", "ls"]},
        {"entity": ["people", "friend"]},
    ],
)
def test_read_when_document_holds_anything_else_then_refuses(document: Any) -> None:
    """What is read names no code: only the classes, and the kinds of values, given beforehand."""
    with pytest.raises(SandboxError, match="this version does not know"):
        CODEC.read([document])
