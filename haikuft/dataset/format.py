"""What each format defines, and what its example becomes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from haikuft.dataset.problems import Finding
from haikuft.dataset.records import Record

NO_REPLY = "no-reply"  # code of an entry of a log that holds no example
# A text and its place in the example, e.g. ("Hello?", "messages[0].content").
PlacedText = tuple[str, str]
# (key, its place, keys that are known there) -> what is wrong with a key of another name.
DescribeKey = Callable[[str, str, tuple[str, ...]], Finding]


class Converted(NamedTuple):
    """A converted example.

    Attributes:
        record: The Messages record; not yet checked.
        places: Place in the record -> place in the raw example, where the two differ.
    """

    record: Record
    places: Mapping[str, str]


class Layout(NamedTuple):
    """How a training file holds a record of a format, for the rules of validation.

    Attributes:
        outline: The shortest record, for a message.
        example: A complete record, for a message.
        keys: The keys of a record.
        text_keys: Those of them whose value is any text.
        empty_turn: The code of a turn without a text.
        describe_key: Describes a key that does not belong there.
        find_texts: (value of "system" or "content", its place) -> its texts, and what is wrong.
    """

    outline: str
    example: str
    keys: tuple[str, ...]
    text_keys: tuple[str, ...]
    empty_turn: str
    describe_key: DescribeKey
    find_texts: Callable[[Any, str], tuple[list[PlacedText], list[Finding]]]


class Format(NamedTuple):
    """A format of examples.

    Attributes:
        recognise: Whether a parsed JSON object has this format, even if it is damaged.
        read: Converts an example to a Messages record; raises UnsupportedContent.
        write: Writes a valid Messages record as an example; None if it cannot be written.
        layout: How a training file holds it; None if no base model takes this format.
    """

    recognise: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Converted]
    write: Callable[[Record], dict[str, Any]] | None = None
    layout: Layout | None = None
