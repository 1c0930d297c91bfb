"""A battery of small files: what each must be told, at which line, and why."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_2_LITE, NOVA_MICRO, BaseModel
from haikuft.dataset import validate_file
from haikuft.dataset.formats import to_training
from haikuft.dataset.problems import load_rules


class Case(NamedTuple):
    """One small file.

    Attributes:
        why: One sentence: why it is judged so.
        content: The file's bytes.
        expected: Line and code of every problem, in order; none for a clean file.
        kind: Under which file's limits it is checked.
        base_model: Under whose rules.
    """

    why: str
    content: bytes
    expected: tuple[tuple[int | None, str], ...]
    kind: str = "test"
    base_model: BaseModel = CLAUDE_3_HAIKU


U = {"role": "user", "content": "Hello?"}
A = {"role": "assistant", "content": "Good day."}
GOOD = {"messages": [U, A]}
GOOD_LINE = json.dumps(GOOD).encode()


def talk(*contents: Any, **more: Any) -> dict[str, Any]:
    """Build a record whose turns alternate and say this."""
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": text} for n, text in enumerate(contents)]
    return {**more, "messages": turns}


def said(text: Any) -> dict[str, Any]:
    """Build a record whose first turn says this."""
    return talk(text, "Good day.")


def roles(*names: Any) -> dict[str, Any]:
    """Build a record of turns with these roles."""
    return {"messages": [{"role": name, "content": f"Text {n}."} for n, name in enumerate(names)]}


def many(number: int, **more: Any) -> list[dict[str, Any]]:
    """Build so many different valid records."""
    return [talk(f"What is {n}?", f"It is {n}.", **more) for n in range(number)]


def labelled(**counts: int) -> list[dict[str, Any]]:
    """Build records whose answers are these labels, so often each."""
    every = [label for label, number in counts.items() for _ in range(number)]
    return [talk(f"Ticket {n}", label) for n, label in enumerate(every)]


def to_bytes(content: Any) -> bytes:
    """Give a file's bytes: those given, or one record, or one record a line."""
    if isinstance(content, bytes):
        return content
    records = content if isinstance(content, list) else [content]
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def one(code: str, *cases: tuple[str, Any]) -> Iterator[Case]:
    """Files of one line that has one problem of this code; "" for none."""
    for why, content in cases:
        yield Case(why, to_bytes(content), ((1, code),) if code else ())


def blocks(*contents: Any, **more: Any) -> dict[str, Any]:
    """Build a conversation whose turns have this content; a text becomes a list of one block."""
    record = talk(*([{"text": c}] if isinstance(c, str) else c for c in contents))
    return {"schemaVersion": "bedrock-conversation-2024", **record, **more}


def nova(code: str, *cases: tuple[str, Any]) -> Iterator[Case]:
    """Files of one line for Nova that has one problem of this code; "" for none."""
    for case in one(code, *cases):
        yield case._replace(base_model=NOVA_MICRO)


def nova_files(*cases: tuple[Any, ...]) -> Iterator[Case]:
    """Files for Nova 2 Lite, with its reasons and its limits, as `whole` takes them."""
    for case in whole(*cases):
        yield case._replace(base_model=NOVA_2_LITE)


def novas(number: int) -> list[dict[str, Any]]:
    """Build so many different valid records for Nova."""
    return [to_training(record, NOVA_MICRO) for record in many(number)]


def whole(*cases: tuple[Any, ...]) -> Iterator[Case]:
    """Files of several lines: why, content, list of (line, code), and the kind if not a test."""
    for why, content, expected, *kind in cases:
        yield Case(why, to_bytes(content), tuple(expected), *kind)


CASES = [
    *one(
        "",
        ("The plainest record there is.", GOOD),
        ("A system prompt is optional and may be there.", talk("a", "b", system="Be brief.")),
        ("Four turns alternate as well as two.", talk("a", "b", "c", "d")),
        ("Forty turns alternate too.", talk(*(f"t{n}" for n in range(40)))),
        ("Keys have no order.", b'{"messages": [{"content": "a", "role": "user"}, '
         b'{"content": "b", "role": "assistant"}], "system": "s"}'),
        ("White space around the object is free.", b" \t" + GOOD_LINE + b"  \t"),
        ("White space inside the object is free.", GOOD_LINE.replace(b":", b" : ")),
        ("No white space at all is as good.", GOOD_LINE.replace(b": ", b":")),
        ("The last line end may be missing.", GOOD_LINE),
        ("An emoji is something to see.", said("🙂")),
        ("An emoji as an escaped surrogate pair is whole.", GOOD_LINE.replace(b"Hello",
         b"\\ud83d\\ude42")),
        ("An emoji in plain UTF-8 is whole.", GOOD_LINE.replace(b"Hello", "🙂".encode())),
        ("Arabic with joiners inside is text.", said("می\u200cخواهم")),
        ("Chinese has no spaces and needs none.", said("你好")),
        ("A combining accent after its letter is text.", said("e\u0301")),
        ("One letter is an answer.", talk("Yes or no?", "Y")),
        ("A lone full stop can be seen.", said(".")),
        ("Digits as text are text.", talk("1 + 1?", "2")),
        ("Human: at the very start follows no line end.", said("Human: hello")),
        ("Human without a colon is not reserved.", said("a\nHuman hello")),
        ("Lower case is not reserved.", said("a\nhuman: hello")),
        ("A space between line end and word is not reserved.", said("a\n Human: hello")),
        ("Assistant: in the middle of a line is not reserved.", said("The Assistant: hello")),
        ("Line ends inside a text are free.", said("a\n\nb")),
        ("A tab as an escape is free.", said("a\tb")),
        ("Escaped quotes are part of the text.", said('He said "role": "user".')),
        ("A text may end in an escaped quote.", said('He said "no"')),
        ("A text may end in a backslash.", said("C:\\")),
        ("JSON inside a text is text.", talk("Give JSON.", json.dumps(GOOD))),
        ("A slash may be escaped.", GOOD_LINE.replace(b"Hello", b"a\\/b")),
        ("A key may be spelt with escapes.", GOOD_LINE.replace(b'"role"', b'"r\\u006fle"')),
        ("U+2028 inside a text ends no line.", said("a\u2028b")),
        ("U+0085 inside a text ends no line.", GOOD_LINE.replace(b"Hello", b"a\xc2\x85b")),
        ("U+FFFD is an ugly character, and one.", said("caf\ufffd")),
        ("A delete character among letters is harmless.", said("a\x7fb")),
        ("An answer may repeat an earlier answer.", talk("a", "b", "c", "b")),
        ("A word of 60,000 letters is under the limit for sure.", said("a" * 60_000)),
        ("English prose of 70,000 bytes is, too.",
         said("We have to know whether the warranty covers a broken screen. " * 1_150 + ".")),
    ),
    *one(
        "not-utf8",
        ("Latin-1 is not UTF-8.", GOOD_LINE.replace(b"Hello", b"caf\xe9")),
        ("A continuation byte needs a first byte.", b"\x80"),
        ("0xFF never stands in UTF-8.", GOOD_LINE.replace(b"Hello", b"\xff")),
        ("A surrogate has no UTF-8.", GOOD_LINE.replace(b"Hello", b"\xed\xa0\x80")),
        ("Two bytes for an ASCII character are too many.", GOOD_LINE.replace(b"H", b"\xc1\x88")),
        ("A character cut short at the line's end.", b'{"a": "\xe2\x82'),
        ("A bad byte in a key is as bad.", b'{"mess\xe9ges": []}'),
        ("A bad byte outside of the object too.", GOOD_LINE + b"\xa0"),
    ),
    *one(
        "not-json",
        ("An open bracket.", b'{"messages": ['),
        ("A comma before a closing list.", GOOD_LINE.replace(b"}]", b"},]")),
        ("A comma before a closing object.", GOOD_LINE[:-1] + b",}"),
        ("A comma missing.", GOOD_LINE.replace(b"}, {", b"} {")),
        ("A colon missing.", GOOD_LINE.replace(b'"messages":', b'"messages"')),
        ("Single quotes are Python's.", b"{'messages': []}"),
        ("Keys without quotes are JavaScript's.", b"{messages: []}"),
        ("None is Python's.", b'{"system": None}'),
        ("True is Python's.", b'{"system": True}'),
        ("NaN is not JSON.", b'{"system": NaN}'),
        ("Infinity is not JSON.", b'{"system": Infinity}'),
        ("Minus infinity is not either.", b'{"system": -Infinity}'),
        ("Two objects on a line.", GOOD_LINE + b" " + GOOD_LINE),
        ("Two objects with a comma between.", GOOD_LINE + b"," + GOOD_LINE),
        ("A comma after the object.", GOOD_LINE + b","),
        ("A bare tab inside a text.", GOOD_LINE.replace(b"Hello", b"a\tb")),
        ("A bare NUL inside a text.", GOOD_LINE.replace(b"Hello", b"a\0b")),
        ("A bare escape character inside a text.", GOOD_LINE.replace(b"Hello", b"a\x1bb")),
        ("A backslash that escapes nothing.", GOOD_LINE.replace(b"Hello", b"C:\\dir")),
        ("Half an escape.", GOOD_LINE.replace(b"Hello", b"\\u12")),
        ("A text without its end.", b'{"system": "abc'),
        ("A quote inside a text without backslash.", GOOD_LINE.replace(b"Hello", b'a "b" c')),
        ("Plain words.", b"Hello there"),
        ("A comment.", b"// " + GOOD_LINE),
        ("A hexadecimal number.", b'{"a": 0x1F}'),
        ("A number that begins with zero.", b'{"a": 01}'),
        ("A number of 5,000 digits.", b'{"a": ' + b"9" * 5000 + b"}"),
        ("A non-breaking space between the tokens.", b'{"a":\xc2\xa01}'),
        ("100,000 brackets.", b"[" * 100_000),
        ("A second object after a lone carriage return.", GOOD_LINE + b"\r" + GOOD_LINE),
        ("A word that JSON has not.", b"undefined"),
    ),
    *one(
        "not-object",
        ("A list of records is not a record.", b"[" + GOOD_LINE + b"]"),
        ("A text.", b'"Hello"'),
        ("A number.", b"7"),
        ("Null.", b"null"),
        ("True.", b"true"),
        ("An empty list.", b"[]"),
    ),
    *one(
        "wrong-format",
        ("Prompt and completion.", {"prompt": "a", "completion": "b"}),
        ("OpenAI's system message.", roles("system", "user", "assistant")),
        ("OpenAI's developer message.", roles("developer", "user", "assistant")),
        ("Converse's blocks.", talk([{"text": "a"}], [{"text": "b"}])),
        ("Converse's system blocks.", talk("a", "b", system=[{"text": "s"}])),
        ("Anthropic's blocks.", said([{"type": "text", "text": "a"}])),
        ("Gemini's contents.", {"contents": []}),
        ("Converse's schema version.", {"schemaVersion": "bedrock-conversation-2024", **GOOD}),
        ("ShareGPT.", {"conversations": [{"from": "human", "value": "a"}]}),
        ("Alpaca.", {"instruction": "a", "input": "", "output": "b"}),
    ),
    *one(
        "missing-key",
        ("No messages.", {"system": "s"}),
        ("An empty object.", {}),
        ("A turn without role.", {"messages": [{"content": "a"}, A]}),
        ("A turn without content.", {"messages": [{"role": "user"}, A]}),
        ("An answer without content.", {"messages": [U, {"role": "assistant"}]}),
    ),
    *one(
        "unknown-key",
        ("An id is not a part of a record.", {**GOOD, "id": 7}),
        ("A key in another case is another key.", {**GOOD, "System": "s"}),
        ("A name in a turn.", {"messages": [{**U, "name": "Ann"}, A]}),
        ("A weight in an answer.", {"messages": [U, {**A, "weight": 1}]}),
        ("A key with a space after it.", {**GOOD, "system ": "s"}),
        ("An empty key.", {**GOOD, "": 1}),
        ("A value of false is a value.", {**GOOD, "metadata": False}),
        ("Nought is one too.", {**GOOD, "weight": 0}),
        ("Half a surrogate as a key.", {**GOOD, "\ud800": 1}),
    ),
    *one(
        "double-key",
        ("A system prompt twice.", b'{"system": "a", "system": "b", ' + GOOD_LINE[1:]),
        ("The same system prompt twice.", b'{"system": "a", "system": "a", ' + GOOD_LINE[1:]),
        ("Messages twice.", b'{"messages": [], ' + GOOD_LINE[1:]),
        ("A role twice.", GOOD_LINE.replace(b'"role": "user"', b'"role": "user", "role": "user"')),
        ("Once plainly and once with escapes.", GOOD_LINE.replace(b'"role": "user"',
         b'"r\\u006fle": "user", "role": "user"')),
        ("Twice, beside a text that ends in backslashes.", to_bytes(said("a\\")).replace(
         b'"role": "user"', b'"role": "user", "role": "user"')),
        ("Content twice, beside quotes in the text.", to_bytes(said('"a"')).replace(
         b'"role": "user"', b'"role": "user", "content": "b"')),
    ),
    *one(
        "wrong-type",
        ("Messages that are text.", {"messages": "Hello"}),
        ("Messages that are null.", {"messages": None}),
        ("Messages that are an object.", {"messages": U}),
        ("Messages that are a number.", {"messages": 2}),
        ("A system prompt that is a number.", talk("a", "b", system=1)),
        ("A system prompt that is a list of texts.", talk("a", "b", system=["s"])),
        ("A system prompt that is false.", talk("a", "b", system=False)),
        ("A turn that is text.", {"messages": ["Hello", A]}),
        ("A turn that is null.", {"messages": [None, A]}),
        ("A turn that is a list.", {"messages": [["user", "Hello"], A]}),
        ("A role that is a number.", roles(1, "assistant")),
        ("A role that is null.", roles(None, "assistant")),
        ("Content that is null.", said(None)),
        ("Content that is a number.", said(3)),
        ("Content that is an object.", said({"text": "a"})),
        ("A list of texts as content.", said(["a"])),
        ("An empty list as content.", said([])),
    ),
    *one("null-system", ("A null system prompt breaks AWS's own checker.", talk("a", "b",
         system=None))),
    *one(
        "wrong-role",
        ("Roles are in lower case.", roles("User", "assistant")),
        ("No space after a role.", roles("user ", "assistant")),
        ("A human is a user.", roles("human", "assistant")),
        ("A model is an assistant.", roles("user", "model")),
        ("System is no role between turns.", roles("user", "system", "user", "assistant")),
        ("An empty role.", roles("", "assistant")),
        ("A tool is no role.", roles("user", "assistant", "tool", "assistant")),
    ),
    *one(
        "too-few-messages",
        ("No turns.", {"messages": []}),
        ("A question alone.", {"messages": [U]}),
        ("An answer alone.", {"messages": [A]}),
    ),
    *one(
        "first-not-user",
        ("The assistant must not begin.", roles("assistant", "user", "assistant")),
    ),
    *one(
        "not-alternating",
        ("Two questions in a row.", roles("user", "user", "assistant")),
        ("Two answers in a row.", roles("user", "assistant", "assistant")),
        ("Two questions in a row later on.", roles("user", "assistant", "user", "user",
         "assistant")),
    ),
    *one(
        "last-not-assistant",
        ("The last turn is what is learnt.", roles("user", "assistant", "user")),
    ),
    *one(
        "empty-text",
        ("An empty question.", said("")),
        ("An empty answer.", talk("a", "")),
    ),
    *one(
        "empty-key",
        ("A null value says nothing.", {**GOOD, "metadata": None}),
        ("Nor does a list of no tools.", {**GOOD, "tools": []}),
        ("Nor tools of no text.", {**GOOD, "tools": ""}),
        ("Nor that tools are not called in parallel.", {**GOOD, "parallel_tool_calls": False}),
        ("Nor a null name in a turn.", {"messages": [{**U, "name": None}, A]}),
        ("Nor a schema's version of null.", {**GOOD, "schemaVersion": None}),
    ),
    *one(
        "empty-system",
        ("An empty system prompt.", talk("a", "b", system="")),
        ("A system prompt that is an empty list.", talk("a", "b", system=[])),
    ),
    *one(
        "invisible-text",
        ("Spaces alone.", said("   ")),
        ("A line end alone.", talk("a", "\n")),
        ("A zero-width space alone.", said("\u200b")),
        ("A byte order mark alone.", said("\ufeff")),
        ("A non-breaking space alone.", said("\xa0")),
        ("A Hangul filler alone.", said("\u3164")),
        ("A blank of Braille alone.", said("\u2800")),
        ("A variation selector alone.", said("\ufe0f")),
        ("A soft hyphen alone.", said("\xad")),
        ("Marks of direction alone.", said("\u200e\u200f")),
        ("A blank system prompt.", talk("a", "b", system=" \n ")),
    ),
    *one(
        "reserved-string",
        ("A line that begins with Human:.", said("a\nHuman: b")),
        ("A line that begins with Assistant:.", said("a\nAssistant: b")),
        ("In an answer too.", talk("a", "b\n\nHuman: c")),
        ("In a system prompt too.", talk("a", "b", system="s\nAssistant: t")),
        ("With the line end as another escape.", GOOD_LINE.replace(b"Hello", b"a\\u000aHuman:")),
        ("After CR LF.", said("a\r\nHuman: b")),
    ),
    *one("nul", ("An escaped NUL ends texts in C.", said("a\0b")),
         ("In a system prompt too.", talk("a", "b", system="s\0t"))),
    *one(
        "lone-surrogate",
        ("A high half.", said("a\ud800b")),
        ("A low half.", said("a\udc00b")),
        ("The halves the wrong way round.", said("\ude42\ud83d")),
        ("At the end of an answer.", talk("a", "b\ud83d")),
    ),
    *one("too-many-tokens", ("The longest words make over 32,000.", said("a" * 250_000)),
         ("Chinese has a token for nearly each character.", said("你" * 50_000)),
         ("Greek has a token for each letter or two.", said("Πού είναι το δέμα; " * 3_200 + "."))),
    *one("perhaps-too-many-tokens", ("By its upper end it is over.", said("a" * 100_000)),
         ("Numbers have a token for a digit or two.", said("1,2,3;" * 7_000)),
         ("All texts count together.", talk(*("b" * 30_000 + str(n) for n in range(4))))),
    *one(
        "outer-white-space",
        ("A space before the question.", said(" Hello?")),
        ("A line end after the answer.", talk("a", "b\n")),
        ("A non-breaking space after the question.", said("Hello?\xa0")),
        ("A space before the system prompt.", talk("a", "b", system=" s")),
    ),
    *one("answer-equals-prompt", ("The wrong column, most likely.", talk("Hello.", "Hello."))),
    *one("carriage-return", ("Some readers end the line there.",
         GOOD_LINE.replace(b", ", b",\r", 1))),
    *one("byte-order-mark", ("AWS's checker stumbles on it.", b"\xef\xbb\xbf" + GOOD_LINE)),
    *whole(
        ("The second line is bad, the others are not.", GOOD_LINE + b"\n{\n", [(2, "not-json")]),
        ("What follows a bad line is checked.", b"{\n{}\n", [(1, "not-json"), (2, "missing-key")]),
        ("A byte order mark in the middle is no mark.", GOOD_LINE + b"\n\xef\xbb\xbf{}\n",
         [(2, "not-json")]),
        ("A blank line between records is one too many.",
         to_bytes(many(1)) + b"\n" + GOOD_LINE, [(2, "blank-line")]),
        ("A line of spaces is blank.", to_bytes(many(1)) + b"  \n" + GOOD_LINE,
         [(2, "blank-line")]),
        ("A blank first line.", b"\n" + GOOD_LINE, [(1, "blank-line")]),
        ("A blank last line is harmless.", GOOD_LINE + b"\n\n", [(2, "blank-last-line")]),
        ("Three of them are one warning.", GOOD_LINE + b"\n\n\n\n", [(2, "blank-last-line")]),
        ("CR LF is harmless, and said once.", to_bytes(many(3)).replace(b"\n", b"\r\n"),
         [(None, "windows-line-ends")]),
        ("An object over many lines is one error.", json.dumps(GOOD, indent=1).encode(),
         [(None, "wrong-format")]),
        ("So is a list of them.", json.dumps([GOOD, GOOD], indent=1).encode(),
         [(None, "wrong-format")]),
        ("So is a list with one object a line.", b"[\n" + GOOD_LINE.strip() + b"\n]\n",
         [(None, "wrong-format")]),
        ("So is an object that breaks after a colon.",
         GOOD_LINE.replace(b": ", b":\n"), [(None, "wrong-format")]),
        ("So is one whose first value is an object.", b'{"data":\n{\n"a": 1}}\n',
         [(None, "wrong-format")]),
        ("A text that breaks after a colon is none.",
         GOOD_LINE.replace(b"Hello?", b"Hello:\n[there],"), [(1, "not-json"), (2, "not-json")]),
        ("A first line that broke after a colon is none.", b'{"messages":\n' + to_bytes(many(2)),
         [(1, "not-json")]),
        ("A first line that broke is no such object.", b'{"messages": [\n' + to_bytes(many(2)),
         [(1, "not-json")]),
        ("The same record again.", [GOOD, *many(2), GOOD], [(4, "duplicate-record")]),
        ("The order of keys makes no other record.", GOOD_LINE + b'\n{"messages": [{"content": '
         b'"Hello?", "role": "user"}, {"content": "Good day.", "role": "assistant"}]}\n',
         [(2, "duplicate-record")]),
        ("The same text spelt with escapes is the same.", GOOD_LINE + b"\n"
         + GOOD_LINE.replace(b"Hello", b"H\\u0065llo"), [(2, "duplicate-record")]),
        ("The same question, another answer.", [GOOD, talk("Hello?", "Bye.")],
         [(2, "different-answers")]),
        ("Under another system prompt it is another question.",
         [GOOD, talk("Hello?", "Bye.", system="Be rude.")], []),
        ("One system prompt unlike nineteen.",
         [*many(19, system="Be brief."), talk("a", "b", system="Be brif.")],
         [(20, "odd-system-prompt")]),
        ("One record without what nineteen have.", [*many(19, system="Be brief."), talk("a", "b")],
         [(20, "odd-system-prompt")]),
        ("Half and half are two kinds, none odd.",
         [*many(10, system="Be brief."), *(talk(f"q{n}", f"a{n}") for n in range(10))], []),
        ("Of three records none is odd.", [*many(2, system="a"), talk("a", "b", system="c")], []),
        ("Several faults of one record stand in order.",
         {"system": 1, "messages": [{"role": "x", "content": ""}, A]},
         [(1, "wrong-type"), (1, "wrong-role"), (1, "empty-text")]),
        ("An empty test file breaks no rule.", b"", []),
        ("An empty training file has too few records.", b"", [(None, "too-few-records")],
         "training"),
        ("31 records are too few.", many(31), [(None, "too-few-records")], "training"),
        ("32 are allowed and teach little.", many(32), [(None, "few-records")], "training"),
        ("50 are enough to say nothing.", many(50), [], "training"),
        ("31 validation records are too few.", many(31), [(None, "too-few-records")],
         "validation"),
        ("32 validation records are fine.", many(32), [], "validation"),
        ("1,000 validation records are the most.", many(1_000), [], "validation"),
        ("1,001 are one too many.", many(1_001), [(None, "too-many-records")], "validation"),
        ("10,001 training records are one too many.", many(10_001),
         [(None, "too-many-records")], "training"),
        ("A test file may have as many as it likes.", many(10_001), []),
        ("Bad lines count as records.", to_bytes(many(31)) + b"{\n",
         [(32, "not-json"), (None, "few-records")], "training"),
        ("A label eleven times as rare as another.", labelled(delivery=55, refund=5),
         [(None, "label-imbalance")], "training"),
        ("Ten times is tolerable.", labelled(delivery=50, refund=5), [], "training"),
        ("Free answers are no labels.", many(60), [], "training"),
        ("gzip is named, not blamed line by line.", b"\x1f\x8b\x08\0\0\n\xff\n",
         [(None, "not-text")]),
        ("So is a zip archive or workbook.", b"PK\x03\x04\x14\0", [(None, "not-text")]),
        ("So is Parquet.", b"PAR1\x15\0", [(None, "not-text")]),
        ("So is UTF-16.", "{}".encode("utf-16"), [(None, "not-text")]),
        ("So is UTF-16 without its mark.", "{}".encode("utf-16-le"), [(None, "not-text")]),
        ("So are 300 bytes of anything.", bytes(range(256)) * 2, [(None, "not-text")]),
        ("CSV is told by its headings.", b"prompt,completion\na,b\n", [(None, "wrong-format")]),
        ("So is TSV.", b"prompt\tcompletion\na\tb\n", [(None, "wrong-format")]),
        ("So is CSV with semicolons.", b'"prompt";"completion"\na;b\n',
         [(None, "wrong-format")]),
        ("A file of Nova's is one error, not one a line.", novas(3), [(None, "wrong-format")]),
        ("A line of Nova's among Claude's is named.", [*many(2), *novas(1)], [(3, "wrong-format")]),
    ),
    *nova(
        "",
        ("A conversation as the guide shows it.", blocks("a", "b")),
        ("With a system prompt.", blocks("a", "b", system=[{"text": "Be brief."}])),
        ("With four turns.", blocks("a", "b", "c", "d")),
        ("The schema's version may be missing.",
         {"messages": blocks("a", "b")["messages"]}),
        ("It may be any text.", blocks("a", "b", schemaVersion="x")),
        ("It may be no text at all.", blocks("a", "b", schemaVersion="")),
        ("The words of Claude's lines are not reserved.", blocks("a\nHuman: c", "b")),
        ("A word without its colon is not reserved.", blocks("the user and the system", "b")),
        ("Keys have no order.",
         b'{"messages": [{"content": [{"text": "a"}], "role": "user"}, {"content": '
         b'[{"text": "b"}], "role": "assistant"}], "schemaVersion": "x"}'),
        ("An escaped quote is no key.", blocks('say "a"', '"b"')),
    ),
    *nova(
        "wrong-format",
        ("Claude's record is not Nova's.", GOOD),
        ("Nor is it with a system prompt.", talk("a", "b", system="s")),
        ("Nor prompt and completion.", {"prompt": "a", "completion": "b"}),
        ("Nor OpenAI's chat.", roles("system", "user", "assistant")),
    ),
    *nova(
        "not-plain-text",
        ("An image is not for this series.", blocks([{"image": {"format": "png"}}], "b")),
        ("Nor is an image beside a text.", blocks([{"text": "a"}, {"image": {}}], "b")),
        ("Nor a video.", blocks([{"video": {}}], "b")),
        ("Nor a document.", blocks([{"document": {}}], "b")),
        ("Nor a tool's use.", blocks("a", [{"toolUse": {}}])),
        ("Nor a tool's result.", blocks([{"toolResult": {}}], "b")),
        ("Nor reasoning.", blocks("a", [{"reasoningContent": {}}, {"text": "b"}])),
        ("Nor tools.", blocks("a", "b", toolConfig={"tools": []})),
    ),
    *nova(
        "several-texts",
        ("Two texts in a turn are one too many.", blocks([{"text": "a"}, {"text": "c"}], "b")),
        ("So are two system prompts.", blocks("a", "b", system=[{"text": "s"}, {"text": "t"}])),
    ),
    *nova(
        "empty-turn",
        ("A turn of no blocks says nothing.", blocks([], "b")),
        ("A turn of an empty text says nothing.", blocks("", "b")),
        ("Nor do two empty texts.", blocks("a", [{"text": ""}, {"text": ""}])),
    ),
    *nova(
        "empty-system",
        ("A system prompt of no blocks says nothing.", blocks("a", "b", system=[])),
        ("Nor does one of an empty text.", blocks("a", "b", system=[{"text": ""}])),
    ),
    *nova(
        "reserved-string",
        ("User: is reserved in a prompt.", blocks("User: a", "b")),
        ("So it is in lower case.", blocks("the user: a", "b")),
        ("So it is inside a longer word.", blocks("superuser: a", "b")),
        ("So it is in the system prompt.", blocks("a", "b", system=[{"text": "BOT: x"}])),
        ("So is the end of a sequence.", blocks("a [EOS] c", "b")),
        ("So is the mark of an image.", blocks("see <image>", "b")),
    ),
    *nova(
        "reserved-in-answer",
        ("A word reserved in prompts is odd in an answer.", blocks("a", "Assistant: b")),
        ("So is an unknown token.", blocks("a", "b <UNK>")),
    ),
    *nova(
        "wrong-type",
        ("Content must be a list.", blocks({"text": "a"}, "b")),
        ("A plain text among lists is none.",
         {"messages": [blocks("a", "b")["messages"][0], A]}),
        ("A block must be an object.", blocks(["a"], "b")),
        ("Its text must be text.", blocks([{"text": 1}], "b")),
        ("A system prompt must be a list.", blocks("a", "b", system="s")),
        ("The schema's version must be text.", blocks("a", "b", schemaVersion=2024)),
    ),
    *nova(
        "empty-key",
        ("A schema's version of null says nothing.", blocks("a", "b", schemaVersion=None)),
        ("Nor does a null image beside a text.", blocks([{"text": "a", "image": None}], "b")),
    ),
    *nova("missing-key", ("A block without a text.", blocks([{}], "b"))),
    *nova(
        "unknown-key",
        ("A type in a block, as Anthropic has it.", blocks([{"type": "text", "text": "a"}], "b")),
        ("A key of the record's own.", blocks("a", "b", id=7)),
        ("Another key in a block.", blocks([{"text": "a", "note": 1}], "b")),
    ),
    *nova("null-system", ("A system prompt of null.", blocks("a", "b", system=None))),
    *nova("wrong-role", ("A system turn.", blocks("a", "b") | {"messages": [
        {"role": "system", "content": [{"text": "s"}]}, *blocks("a", "b")["messages"]]})),
    *nova("too-few-messages", ("No turns.", blocks()), ("One turn.", blocks("a"))),
    *nova("last-not-assistant", ("No answer at the end.", blocks("a", "b", "c"))),
    *nova("double-key", ("The schema's version twice.",
          b'{"schemaVersion": "x", ' + json.dumps(blocks("a", "b")).encode()[1:])),
    *nova("double-key", ("A text twice in a block.", json.dumps(blocks("a", "b")).replace(
          '{"text": "a"}', '{"text": "a", "text": "a"}').encode())),
    *nova("outer-white-space", ("A space before a text.", blocks(" a", "b"))),
    *nova("invisible-text", ("A text of spaces.", blocks("  ", "b"))),
    *nova("answer-equals-prompt", ("An echo.", blocks("a", "a"))),
    *nova("too-many-tokens", ("A text beyond the limit.", blocks("a" * 250_000, "b"))),
    *nova_files(
        ("Fewer than AWS's stricter page wants.", novas(199), [(None, "too-few-records")],
         "training"),
        ("So many as it wants.", novas(200), [], "training"),
        ("No validation file is taken.", novas(200), [(None, "validation-not-taken")],
         "validation"),
        ("Not even a short one.", novas(3), [(None, "validation-not-taken")], "validation"),
        ("A file of Claude's is one error.", many(200), [(None, "wrong-format")], "training"),
        ("The same record twice.", novas(1) * 2, [(2, "duplicate-record")]),
        ("The schema's version makes no other record.",
         [*novas(1), {"messages": novas(1)[0]["messages"]}], [(2, "duplicate-record")]),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case.why for case in CASES])
def test_file_when_checked_then_verdict_code_and_line(case: Case, tmp_path: Path) -> None:
    """Every problem that is there, at its line, and no other; every one says how to fix it."""
    path = tmp_path / "data.jsonl"
    path.write_bytes(case.content)

    report = validate_file(path, case.base_model, kind=case.kind)  # type: ignore[arg-type]

    assert tuple((problem.line, problem.code) for problem in report.problems) == case.expected
    assert report.ok == all(load_rules()[code].severity == "warning" for _, code in case.expected)
    assert all(problem.message and problem.fix for problem in report.problems)


def test_battery_when_counted_then_it_is_large_and_no_case_stands_twice() -> None:
    """200 small files and more, each for a reason of its own."""
    assert len(CASES) >= 200
    assert len({(case.content, case.kind, case.base_model.id) for case in CASES}) == len(CASES)
    assert all(case.why.endswith(".") for case in CASES)


def test_battery_when_codes_are_counted_then_only_those_of_large_files_are_left() -> None:
    """The others need a large file, two files or none, and have tests of their own."""
    elsewhere = {
        "cannot-read", "file-too-large", "gave-up", "line-too-long", "not-all-compared",
        "overlap", "too-many-records-together",
    }  # fmt: skip
    assert {code for case in CASES for _, code in case.expected} == set(load_rules()) - elsewhere
