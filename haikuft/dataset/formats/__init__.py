"""The formats of examples, one module each: how an example is recognised, read, checked, written.

To add a format, write a module here with a `FORMAT` (see `haikuft.dataset.format`), and add a line
for it to `FORMATS`. It is imported when it is first used, so that the command line starts fast.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haikuft.base_models import BaseModel
    from haikuft.dataset.format import Format
    from haikuft.dataset.records import Record

MESSAGES = "messages"
CONVERSE = "converse"
PROMPT_COMPLETION = "prompt_completion"
INVOCATION_LOG = "invocation_log"
CSV, TSV, PARQUET, EXCEL = "csv", "tsv", "parquet", "excel"
UNKNOWN = "unknown"

CONVERSE_SCHEMA = "bedrock-conversation-2024"

# Module of this folder -> title. An example has the first format that recognises it.
FORMATS = {
    CONVERSE: f"Converse ({CONVERSE_SCHEMA})",
    "openai_chat": "OpenAI chat with a system message among the messages",
    "anthropic": "Anthropic Messages API (texts in blocks)",
    MESSAGES: "Messages (system, messages)",
    "trl": "conversational prompt/completion of trl",
    PROMPT_COMPLETION: "prompt/completion",
    "sharegpt": "ShareGPT (conversations)",
    "alpaca": "Alpaca (instruction, input, output)",
    "query_response": "ms-swift (query, response, history)",
    "gemini": "Gemini (systemInstruction, contents)",
    INVOCATION_LOG: "model invocation log of Amazon Bedrock",
}
WRITABLE = (MESSAGES, CONVERSE, PROMPT_COMPLETION)
# Files whose rows are examples of the formats above: name -> title.
TABLES = {CSV: "CSV", TSV: "TSV", PARQUET: "Parquet", EXCEL: "Excel"}


def title_of(name: str) -> str:
    """Give the title of a format or table; of any other name, the name itself."""
    return FORMATS.get(name) or TABLES.get(name) or name


def option_names(names: Iterable[str] = ()) -> str:
    """List formats as the command line has them, by default all that can be read.

    Example: ("openai_chat", "csv") -> "openai-chat, csv".
    """
    return ", ".join(name.replace("_", "-") for name in tuple(names) or (*FORMATS, *TABLES))


def find_format(text: str) -> str:
    """Find a format by its name in any spelling; "" if there is none of that name.

    Example: "OpenAI-chat" -> "openai_chat", "bedrock-conversation-2024" -> "converse".
    """
    plain = text.strip().lower()
    if plain == CONVERSE_SCHEMA:
        return CONVERSE
    name = plain.replace("-", "_")
    return name if name in FORMATS or name in TABLES else ""


def format_of(base_model: "BaseModel") -> str:
    """Name the format of a base model's training files, one of `WRITABLE`."""
    return find_format(base_model.record_format)


@cache
def load_format(name: str) -> "Format":
    """Import the module of a format and give its `FORMAT`."""
    found: Format = import_module(f"{__name__}.{name}").FORMAT
    return found


def recognise(example: Any) -> str:
    """Name the format of one parsed example, or "unknown"; a damaged one keeps its format."""
    if not isinstance(example, dict):
        return UNKNOWN
    return next((name for name in FORMATS if load_format(name).recognise(example)), UNKNOWN)


def to_training(record: "Record", base_model: "BaseModel") -> dict[str, Any]:
    """Write a valid Messages record as the base model's files hold it; `read_records` reads it."""
    return write_record(record, format_of(base_model))


def write_record(record: "Record", name: str) -> dict[str, Any]:
    """Write a valid Messages record as an example of a format.

    Raises:
        UnsupportedContent: the format has no place for something in it.
        ValueError: the format is not one of `WRITABLE`.
    """
    write = load_format(name).write
    if write is None:
        raise ValueError(f"{name} cannot be written")
    return write(record)
