"""ms-swift: {"query", "response", "system"?, "history"?: [[query, response], …]}.

Source: ms-swift's documentation, "Custom dataset".
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    build_record,
    check_keys,
    read_history,
    read_pair,
    read_system,
)
from haikuft.dataset.formats.format import Converted, Format


def _read(example: Mapping[str, Any]) -> Converted:
    check_keys(example, "", ("system", "history", "query", "response"))
    pair = read_pair(example, "query", "response")
    return build_record([*read_system(example), *read_history(example), *pair])


FORMAT = Format(recognise=lambda example: "query" in example and "response" in example, read=_read)
