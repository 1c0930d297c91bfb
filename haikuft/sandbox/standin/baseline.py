"""The reply of a base model in the sandbox: an extractive baseline.

If the prompt names a list of options, the reply is the option that shares most words with the
rest of the prompt; otherwise it is the first sentence of the last user message. It does not
learn, and it is deterministic.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from haikuft.package_data import read_toml

_WORDS = read_toml("haikuft.sandbox.standin", "standin.toml")["baseline"]
_CUE = re.compile(rf"\b({'|'.join(_WORDS['cues'])})\b", re.IGNORECASE)
_BULLET = re.compile(r"\s*(?:[-*•–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)")
_AFTER_LEAD = re.compile(r"[:?][ \t]*(?=\S)")
_AFTER_WORDS = re.compile(
    r"\b(?:one of|either|between|among|from)\b(?: (?:these|the)(?: [a-z]+)?)? *", re.IGNORECASE
)
_QUOTED = re.compile(r"(?=[`\"“][^`\"“”\n]+[`\"”](?:,|\s+or\b))")
_BRACKETED = re.compile(r"[(\[{]([^()\[\]{}]+)[)\]}]")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")
_SEPARATOR = re.compile(r"\s*[,;|/]\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+")
_FRAME = " \t\"'`“”‘’«»[](){}<>*.:,"
_LONGEST = 6  # words of an option; what is longer is prose
_ENDINGS = _WORDS["endings"].split()
_EMPTY = frozenset(_WORDS["empty"].split())


@dataclass(frozen=True, slots=True)
class Options:
    """A list of options in a prompt.

    Attributes:
        names: As they are written; one of them is the reply.
        notes: What the prompt says of each, often nothing.
        rest: The text without the list.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]
    rest: str


def base_reply(system: str | None, messages: Sequence[Mapping[str, str]]) -> str:
    """Answer the conversation by extraction; the reply is empty only if the user said nothing."""
    said = [message["content"] for message in messages if message["role"] == "user"]
    options = find_options(system or "")
    if options is not None:
        return choose_option(options, "\n".join(said))
    options = find_options("\n".join(said))
    if options is not None:
        return choose_option(options, options.rest)
    sentences = _split_sentences(said[-1]) if said else []
    return sentences[0] if sentences else ""


def find_options(text: str) -> Options | None:
    """Find the longest list of options in the text; None if there is none.

    Recognized are lists with a line for each option, with or without bullets or numbers, and lists
    within a sentence, separated by commas, semicolons, bars, slashes or "or". A list counts if
    words such as "labels", "choose" or "one of" come before it.
    """
    found = [*_lines(text), *_sentences(text)]
    return max(found, key=lambda options: len(options.names), default=None)


def choose_option(options: Options, text: str) -> str:
    """Take the option with most words in the text; of equals the first one named."""
    there = _stems(text)
    best = max(
        range(len(options.names)),
        key=lambda n: (
            len(_stems(options.names[n]) & there),
            len(_stems(options.notes[n]) & there),
            -n,
        ),
    )
    return options.names[best]


def shared_options(text: str) -> list[str]:
    """Name the options in a prompt that share a word with the rest of it; none without a list."""
    options = find_options(text)
    if options is None:
        return []
    there = _stems(options.rest)
    return [name for name in options.names if _stems(name) & there]


def _lines(text: str) -> Iterable[Options]:
    """Lists with a line for each option, below a line that leads to them."""
    lines = text.split("\n")
    for start, lead in enumerate(lines):
        if not (lead.rstrip().endswith(":") and _CUE.search(lead)):
            continue
        first = start + 1
        while first < len(lines) and not lines[first].strip():
            first += 1
        bulleted = first < len(lines) and _BULLET.match(lines[first])
        end = first
        while end < len(lines) and _is_entry(lines[end], bool(bulleted)):
            end += 1
        entries = [_split_entry(_BULLET.sub("", line, count=1)) for line in lines[first:end]]
        rest = "\n".join([*lines[:start], *lines[end:]])
        yield from _options(entries, rest)


def _is_entry(line: str, bulleted: bool) -> bool:
    if bulleted:
        return bool(_BULLET.match(line))
    name, note = _split_entry(line)
    return bool(name) and (bool(note) or len(name.split()) <= _LONGEST)


def _sentences(text: str) -> Iterable[Options]:
    """Lists in a sentence: after a colon or question, after words as "one of", or in quotes."""
    for pattern in (_AFTER_LEAD, _AFTER_WORDS, _QUOTED):
        for lead in pattern.finditer(text):
            before = _split_sentences(text[: lead.start()] + " ")
            if pattern is not _AFTER_WORDS and not (before and _CUE.search(before[-1])):
                continue
            stop = _SENTENCE_END.search(text, lead.end())
            end = stop.start() if stop else len(text)
            listed = _AFTER_LEAD.split(text[lead.end() : end])[0]
            rest = text[: lead.start()] + text[end:]
            for passage in (*_BRACKETED.findall(listed), listed):
                entries = [(item.strip(_FRAME), "") for item in _SEPARATOR.split(passage)]
                yield from _options(entries, rest)


def _options(entries: Sequence[tuple[str, str]], rest: str) -> Iterable[Options]:
    """Give the entries as options, if they can be options: two or more, short, all different."""
    names = tuple(name for name, _ in entries if name)
    short = all(len(name.split()) <= _LONGEST for name in names)
    if len(names) >= 2 and short and len(set(names)) == len(names):
        yield Options(names, tuple(note for name, note in entries if name), rest)


def _split_entry(line: str) -> tuple[str, str]:
    """Split an option from its description: "name: note", "name - note", "name (note)"."""
    name, _, note = re.sub(r":\s|\s[-–—=]\s|\s\(", "\0", line.strip(), count=1).partition("\0")
    return name.strip(_FRAME), note.strip(_FRAME)


def _split_sentences(text: str) -> list[str]:
    parts = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [part.strip() for part in parts if part.strip()]


def _stems(text: str) -> set[str]:
    """The text's words without endings; underscores, hyphens and inner capitals part them."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {_stem(word) for word in re.findall(r"[^\W_]+", parted.lower())} - {*_EMPTY, ""}


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """Remove one common English ending: billing, bills and billed all become bil."""
    if word in _EMPTY:
        return ""
    for suffix in _ENDINGS:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
