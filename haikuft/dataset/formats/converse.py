"""From a line of either format of training files to the Messages record we work with."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats import CONVERSE, holds_blocks, recognise
from haikuft.dataset.formats.carrying import carry_over
from haikuft.dataset.records import Record


def to_messages(value: Record, *, lenient: bool = False) -> Record:
    """Take Converse's conversation for a Messages record; anything else stays as it is.

    Nothing is lost of one that holds texts alone, and `writing.to_converse` gives it back.

    Args:
        value: A parsed line.
        lenient: Pass over what AWS's validators pass over: keys that do not belong, and several
            texts where one is wanted, which are joined by line feeds.

    Raises:
        Misfit: something in it has no place in a Messages record.
    """
    if lenient and holds_blocks(value):
        return carry_over(_forgive(value), CONVERSE).record
    return carry_over(value, CONVERSE).record if recognise(value) == CONVERSE else value


def _forgive(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value[key] for key in ("schemaVersion", "system", "messages") if key in value}
    kept["system"] = _join(kept.get("system"))
    if isinstance(turns := kept.get("messages"), list):
        kept["messages"] = [
            _forgive_turn(turn) if isinstance(turn, dict) else turn for turn in turns
        ]
    return kept


def _forgive_turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: turn[key] for key in ("role", "content") if key in turn}
    return {**kept, "content": _join(kept.get("content"))}


def _join(blocks: Any) -> Any:
    """Join texts as the sandbox's Converse does; how a job does is not documented."""
    if not isinstance(blocks, list) or not blocks:
        return blocks
    texts = [block.get("text") for block in blocks if isinstance(block, dict)]
    words = [text for text in texts if isinstance(text, str)]
    return [{"text": "\n".join(words)}] if len(words) == len(blocks) else blocks
