"""What is known of one data file so far: problems, counts, and digests of earlier records."""

from collections import Counter

from haikuft.dataset.labels import MAX_LABEL_LENGTH
from haikuft.dataset.problems import Finding, Problem, load_rules, make_finding
from haikuft.dataset.report import SHOWN, FileSummary, FirstOfEach, Kind, Report
from haikuft.dataset.tokens import NO_TOKENS, TokenRange, estimate_tokens
from haikuft.dataset.validate.fast_path import ValidRecord

MAX_REMEMBERED = 200_000  # records whose digests are kept, to find duplicates
MAX_KINDS = 1_000  # different labels, or system prompts, that are counted
# Tokens are estimated for these first bytes of short records and for one of so many bytes after
# them; the others count by their bytes. The number is prime, so that records of kinds that take
# turns are all met.
SAMPLED_BYTES, SAMPLED_ONE_IN = 250_000, 199  # files of up to 250 KB are estimated whole


class FileState:
    """The state of one file's check, which grows line by line.

    Attributes:
        file: The file's name, as the caller gave it.
        kind: "training", "validation" or "test".
        records: Lines that are not blank, valid or not.
        valid: Records without an error.
        bytes: Bytes read.
        errors: Errors found, among them those that are only counted.
        first_blank: The first of the blank lines just read; None if there are none.
        blank: How many blank lines were just read.
        windows_line_ends: Lines that end with CR LF.
        tokens: Of the records whose tokens are known, among them those of another format.
        systems: Digest of a system prompt, 0 for none -> [its records, its first line].
        labels: Answer -> its records; None when the answers are no labels.
    """

    def __init__(self, file: str, kind: Kind) -> None:
        self.file = file
        self.kind = kind
        self.records = 0
        self.valid = 0
        self.bytes = 0
        self.errors = 0
        self.first_blank: int | None = None
        self.blank = 0
        self.windows_line_ends = 0
        self.found: FirstOfEach[Problem] = FirstOfEach()
        self.systems: dict[int, list[int]] = {}
        self.labels: Counter[str] | None = Counter()
        self.tokens = NO_TOKENS
        self._bytes = 0  # of the other records
        self._sampled = NO_TOKENS  # of a sample of these, which has so many bytes
        self._sampled_bytes = 0
        # Digest of a prompt -> its first line, and the digest of its answer there.
        self._prompts: dict[int, tuple[int, int]] = {}

    def add(self, line: int | None, finding: Finding) -> None:
        """Count a finding as a problem of this line, and keep it among the first of its code."""
        code, place, message, fix = finding
        rule = load_rules()[code]
        self.errors += rule.severity == "error"
        problem = Problem(self.file, line, place, code, rule.severity, message, fix, rule.basis)
        self.found.add(code, problem)

    def add_record(self, line: int, record: ValidRecord, tokens: TokenRange | None = None) -> None:
        """Add a valid record, and compare it with those before it; tokens may be unknown."""
        self.valid += 1
        if tokens is None:
            self._bytes += record.bytes
            if self._sampled_bytes < SAMPLED_BYTES + self._bytes // SAMPLED_ONE_IN:
                self._sampled += estimate_tokens(record.text)
                self._sampled_bytes += record.bytes
        else:
            self.tokens += tokens
        system = hash(record.system) if record.system else 0
        if (kind := self.systems.get(system)) is not None:
            kind[0] += 1
        elif len(self.systems) < MAX_KINDS:
            self.systems[system] = [1, line]
        if self.labels is not None:
            answer = record.answer
            if len(answer) > MAX_LABEL_LENGTH or len(self.labels) > MAX_KINDS:
                self.labels = None
            else:
                self.labels[answer] += 1
        if earlier := self._prompts.get(record.prompt):
            first, reply = earlier
            code = "duplicate-record" if reply == record.reply else "different-answers"
            self.add(line, make_finding(code, first=first))
        elif len(self._prompts) < MAX_REMEMBERED:
            self._prompts[record.prompt] = line, record.reply
        elif not self.found.counts["not-all-compared"]:
            self.add(line, make_finding("not-all-compared", most=MAX_REMEMBERED))

    def shared_prompts(self, earlier: "FileState") -> list[tuple[int, int]]:
        """Find prompts that are in both files: the first line here, the first line there."""
        return [
            (line, earlier._prompts[prompt][0])
            for prompt, (line, _) in self._prompts.items()
            if prompt in earlier._prompts
        ]

    def report_blank_lines(self) -> None:
        """Report the blank lines just read, because a record follows them."""
        if self.first_blank is None:
            return
        shown = min(self.blank, SHOWN)
        for number in range(self.first_blank, self.first_blank + shown):
            self.add(number, make_finding("blank-line"))
        self.found.counts["blank-line"] += self.blank - shown
        self.first_blank, self.blank = None, 0

    def report(self) -> Report:
        """Give all that was found, in the order of the lines, whole-file problems last."""
        times = self._bytes / self._sampled_bytes if self._sampled_bytes else 0.0
        tokens = self.tokens + self._sampled * times
        summary = FileSummary(self.file, self.kind, self.records, self.bytes, tokens)
        ordered = sorted(self.found.items, key=lambda one: (one.line is None, one.line or 0))
        return Report((summary,), tuple(ordered), dict(self.found.counts))
