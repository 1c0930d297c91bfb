"""ShareGPT: {"conversations": [{"from": "human", "value": text}, {"from": "gpt", …}, …]}."""

from haikuft.dataset.content import Chat, take_text
from haikuft.dataset.format import Format

_USER = dict.fromkeys(("human", "user"), "user")
_ASSISTANT = dict.fromkeys(("gpt", "chatgpt", "assistant"), "assistant")
_ROLES = {**_USER, **_ASSISTANT, "system": "system"}
_CHAT = Chat(take_text, "conversations", "from", "value", _ROLES)

FORMAT = Format(
    recognise=lambda example: isinstance(example.get("conversations"), list), read=_CHAT.read
)
