"""One pass over a file of raw examples: records, faults, and what a repair did."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from haikuft.base_models import BaseModel
from haikuft.dataset.convert.repairs import (
    Mend,
    MendTally,
    find_line_mends,
    mend_example,
    mend_texts,
)
from haikuft.dataset.formats import FORMATS, MESSAGES, READABLE, TABLES, UNKNOWN, recognise
from haikuft.dataset.formats.carrying import Carried, carry_over
from haikuft.dataset.formats.content import Misfit
from haikuft.dataset.formats.writing import write_as
from haikuft.dataset.problems import SHOWN, Finding, quotable, quote
from haikuft.dataset.read.examples import detect_format, read_examples
from haikuft.dataset.read.json_lines import explain_os_error
from haikuft.dataset.records import Record, digest
from haikuft.dataset.validate.record_rules import check_record, is_sound
from haikuft.errors import DataError

_OF_COLUMNS = ("unknown-key", "missing-key", "unknown-format")


class Reading:
    """One pass over a file: its records so far, its faults, its mends."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        system_prompt: str,
        base_model: BaseModel,
        to_format: str,
    ) -> None:
        self.path = path
        self.name = quotable(os.fsdecode(path))
        self.system_prompt = system_prompt
        self.base_model = base_model
        self.to_format = to_format
        self.written: list[Record] = []
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.tally = MendTally()
        self.left: dict[str, None] = {}
        self.seen: dict[bytes, int] = {}

    def read(self, given: str, prompt: str, completion: str, *, repair: bool = False) -> str:
        """Read all examples and give the file's format; faults end in one error."""
        seen = detect_format(self.path)
        found = given if given and (given in TABLES or seen not in TABLES) else seen
        of_rows = given if given not in TABLES else ""
        if repair and found not in TABLES:
            self._find_line_mends()
        rows = read_examples(
            self.path, found, prompt_column=prompt, completion_column=completion, left=self.left
        )
        for line, value, findings in rows:
            faults = findings or self._take(line, value, of_rows, repair)
            for finding in faults:
                self._add(line, finding)
            if found in TABLES and any(fault.code in _OF_COLUMNS for fault in faults):
                break  # every row has the same columns
        if not self.counts:
            if not self.written:
                raise DataError(f"{self.name}: there are no examples in it. Put one on each line.")
            return found
        rest = self.counts.total() - len(self.faults)
        raise DataError(
            "\n".join(self.faults) + (f"\nAnd {rest:,} more like these." if rest else "")
        )

    def _take(self, line: int, value: Any, given: str, repair: bool) -> list[Finding]:
        """Put the converted record with the others, or say why not."""
        if not isinstance(value, dict):
            return check_record(value, self.base_model)
        mends: list[Mend] = []
        try:
            if repair:
                value, mends = mend_example(value, line)
            carried = carry_example(value, given, self.system_prompt)
            record = carried.record
            if repair:
                record, more = mend_texts(record, line)
                mends += [m._replace(place=carried.places.get(m.place, m.place)) for m in more]
            findings = check_record(record, self.base_model, MESSAGES)
            if not is_sound(findings):
                return [f._replace(place=carried.places.get(f.place, f.place)) for f in findings]
            written = write_as(record, self.to_format)
        except Misfit as misfit:
            return [misfit.finding]
        self.tally.add(*mends)
        if not (repair and self._is_double(record, line)):
            self.written.append(written)
        return []

    def _is_double(self, record: Record, line: int) -> bool:
        turns = [part for turn in record["messages"] for part in (turn["role"], turn["content"])]
        first = self.seen.setdefault(digest(record.get("system", ""), *turns), line)
        if first == line:
            return False
        words = f"the same as line {first}, removed"
        self.tally.add(Mend(line, "", "duplicate-record", words))
        return True

    def _find_line_mends(self) -> None:
        try:
            self.tally.add(*find_line_mends(self.path))
        except OSError as error:
            raise DataError(f"{self.name}: {explain_os_error(error)}") from error

    def _add(self, line: int, finding: Finding) -> None:
        self.counts[finding.code] += 1
        if self.counts[finding.code] <= SHOWN:
            place = f", {finding.place}" if finding.place else ""
            words = f"{finding.message}. {finding.mend}"
            self.faults.append(f"{self.name}, line {line}{place}: {words}")


def carry_example(record: Mapping[str, Any], given: str, system_prompt: str) -> Carried:
    """Turn an example into a record of the system prompt that is given, "" keeping its own.

    Raises:
        Misfit: the format is not known, or something in it has no place in a record.
    """
    format_name = given or recognise(record)
    if format_name == UNKNOWN:
        keys = ", ".join(quote(key) for key in list(record)[:10]) or "no keys"
        raise Misfit(
            Finding(
                "unknown-format",
                "",
                f"the example has {keys}",
                f"Accepted are {_join([FORMATS[name] for name in READABLE])}. In a table, or an "
                "object of two texts, name the two with --prompt-column and --completion-column "
                "(prompt_column and completion_column).",
            )
        )
    carried = carry_over(record, format_name)
    if not system_prompt:
        return carried
    system = {"system": system_prompt}
    places = {place: raw for place, raw in carried.places.items() if place != "system"}
    return Carried({**system, **carried.record, **system}, places)


def _join(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
