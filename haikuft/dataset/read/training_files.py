"""Training files: their lines, of either format, as Messages records."""

import os

from haikuft.dataset.content import UnsupportedContent, describe_no_object
from haikuft.dataset.formats.converse import to_messages
from haikuft.dataset.problems import quotable
from haikuft.dataset.read.json_lines import naming_os_errors, read_values
from haikuft.dataset.records import Record
from haikuft.errors import DataError


def read_records(path: str | os.PathLike[str], *, lenient: bool = False) -> list[Record]:
    """Read a file of records, one JSON object a line; blank lines are ignored.

    Lines may be Messages or Converse records (bedrock-conversation-2024), of which nothing is lost.
    Whether the objects are valid records is for `validate_file` to say.

    Args:
        path: The file.
        lenient: Accept what Bedrock accepts: a key that occurs twice, with its last value, as most
            parsers do; in a Converse record what `to_messages` says.

    Raises:
        DataError: the file cannot be read, a line is no JSON object, or a Converse record holds
            something else than texts; names the first such line.
    """
    records = []
    with naming_os_errors(path):
        for number, value, findings in read_values(path):
            try:
                if findings and not (lenient and isinstance(value, dict)):
                    raise UnsupportedContent(findings[0])
                if not isinstance(value, dict):
                    raise UnsupportedContent(describe_no_object(value))
                records.append(to_messages(value, lenient=lenient))
            except UnsupportedContent as error:
                name = quotable(os.fsdecode(path))
                raise DataError(f"{name}, line {number}: {error}") from error
    return records
