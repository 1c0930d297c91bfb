"""Training files: their lines, of either form, as Messages records."""

import os

from haikuft.dataset.formats.content import Misfit
from haikuft.dataset.formats.converse import to_messages
from haikuft.dataset.problems import describe, quotable
from haikuft.dataset.read.json_lines import explain_os_error, read_values
from haikuft.dataset.records import Record
from haikuft.dataset.validate.record_rules import check_record
from haikuft.errors import DataError


def read_records(path: str | os.PathLike[str], *, lenient: bool = False) -> list[Record]:
    """Read a file of records, one JSON object a line; blank lines are passed over.

    Lines may be Messages or conversations (bedrock-conversation-2024), of which nothing is lost.
    Whether the objects are good records is for `validate_file` to say.

    Args:
        path: The file.
        lenient: Take what Bedrock takes: of a key that stands twice the last, as most parsers do;
            of a conversation what `to_messages` says.

    Raises:
        DataError: the file cannot be read, a line is no JSON object, or a conversation holds
            something else than texts; names the first such line.
    """
    name = quotable(os.fsdecode(path))
    records = []
    try:
        for number, value, findings in read_values(path):
            if not findings and not isinstance(value, dict):
                findings = check_record(value)
            if findings and not (lenient and isinstance(value, dict)):
                raise DataError(f"{name}, line {number}: {describe(findings[0])}")
            try:
                records.append(to_messages(value, lenient=lenient))
            except Misfit as misfit:
                words = describe(misfit.finding)
                raise DataError(f"{name}, line {number}: {words}") from misfit
    except OSError as error:
        raise DataError(f"{name}: {explain_os_error(error)}") from error
    return records
