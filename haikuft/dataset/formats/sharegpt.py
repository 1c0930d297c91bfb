"""ShareGPT: {"conversations": [{"from": "human", "value": text}, {"from": "gpt", …}, …]}."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    Turns,
    build_record,
    check_keys,
    read_system,
    read_turns,
    take_text,
)
from haikuft.dataset.formats.format import Converted, Format

_USER = dict.fromkeys(("human", "user"), "user")
_ASSISTANT = dict.fromkeys(("gpt", "chatgpt", "assistant"), "assistant")
_ROLES = {**_USER, **_ASSISTANT, "system": "system"}
_TURNS = Turns("conversations", "from", "value", _ROLES, take_text, optional=("weight",))


def _read(example: Mapping[str, Any]) -> Converted:
    check_keys(example, "", ("conversations", "system"), optional=("tools",))
    return build_record([*read_system(example), *read_turns(example, _TURNS)])


FORMAT = Format(
    recognise=lambda example: isinstance(example.get("conversations"), list), read=_read
)
