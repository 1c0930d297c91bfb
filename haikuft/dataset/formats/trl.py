"""Conversational prompt and completion of trl: both are lists of turns, {"role", "content"}.

Source: TRL's documentation, "Dataset formats and types".
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset import content
from haikuft.dataset.format import Converted, Format
from haikuft.dataset.formats.openai_chat import CHAT

_KEYS = ("prompt", "completion")


def _recognise(example: Mapping[str, Any]) -> bool:
    """Whether either holds a turn."""
    lists = [value for key in _KEYS if isinstance(value := example.get(key), list)]
    return any(isinstance(turn, dict) for turns in lists for turn in turns)


def _read(example: Mapping[str, Any]) -> Converted:
    content.check_keys(example, "", _KEYS)
    lists = [CHAT.read_turns(content.take_member(example, key), key) for key in _KEYS]
    return content.build_record([text for texts in lists for text in texts])


FORMAT = Format(recognise=_recognise, read=_read)
