"""ms-swift: {"query", "response", "system"?, "history"?: [[query, response], …]}.

Source: ms-swift's documentation, "Custom dataset".
"""

from haikuft.dataset.content import read_exchange
from haikuft.dataset.format import Format

FORMAT = Format(
    recognise=lambda example: "query" in example and "response" in example,
    read=lambda example: read_exchange(example, "query", "response", "history"),
)
