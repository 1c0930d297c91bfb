"""What is known of one data file so far: problems, counts, and digests of earlier records."""

from array import array
from collections import Counter
from dataclasses import replace

from haikuft.dataset.labels import LEAST_A_LABEL, MAX_LABEL_LENGTH, is_label
from haikuft.dataset.problems import (
    SHOWN,
    FileSummary,
    Finding,
    Kind,
    Problem,
    Report,
    count,
    quote,
)
from haikuft.dataset.rules import RULES
from haikuft.dataset.tokens import TokenRange, tokens_of_bytes
from haikuft.dataset.validate.fast_path import Sound

MAX_REMEMBERED = 200_000  # records whose digests are kept, to find like ones
MAX_KINDS = 1_000  # different labels, or system prompts, beyond which they are none of a kind
ONE_KIND = 0.9  # the share of records from which on a system prompt is the file's own
LEAST_OF_A_KIND = 10  # records; of fewer nothing is said about their kind
IMBALANCE = 10  # times as many records as the rarest label has


class FileCheck:
    """A tally that grows line by line."""

    def __init__(self, file: str, kind: Kind) -> None:
        self.file = file
        self.kind = kind
        self.records = 0
        self.sound = 0
        self.bytes = 0
        self.errors = 0
        self.problems: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self.first_blank: int | None = None
        self.blank = 0
        self.windows_line_ends = 0
        # Digest of a system prompt, 0 if there is none -> its records, its first line.
        self.systems: dict[int, list[int]] = {}
        self.labels: Counter[str] | None = Counter()  # None: the answers are no labels
        self._sizes: Counter[int] = Counter()  # bytes of a record -> how many have so many
        # Digest of a prompt -> its place in the two arrays: its first line, and the answer there.
        self._prompts: dict[int, int] = {}
        self._lines = array("Q")
        self._replies = array("q")

    @property
    def tokens(self) -> TokenRange:
        """Tokens of all records that are in order."""
        low = likely = high = 0
        for size, records in self._sizes.items():
            one = tokens_of_bytes(size)
            low, likely, high = (
                low + records * one.low,
                likely + records * one.likely,
                high + records * one.high,
            )
        return TokenRange(low, likely, high)

    def add(self, line: int | None, finding: Finding) -> None:
        """Count a finding, and keep it as a problem unless there are enough of its kind."""
        self.counts[finding.code] += 1
        severity, basis = RULES[finding.code]
        self.errors += severity == "error"
        if self.counts[finding.code] <= SHOWN:
            code, place, message, mend = finding
            self.problems.append(
                Problem(self.file, line, place, code, severity, message, mend, basis)
            )

    def take(self, line: int, record: Sound) -> None:
        """Take a sound record in, and hold it against those before it."""
        self.sound += 1
        self._sizes[record.bytes] += 1
        system = hash(record.system) if record.system else 0
        if (kind := self.systems.get(system)) is not None:
            kind[0] += 1
        elif len(self.systems) < MAX_KINDS:
            self.systems[system] = [1, line]
        if self.labels is not None:
            self._take_label(record.answer)
        place = self._prompts.get(record.prompt)
        if place is not None:
            same = self._replies[place] == record.reply
            self.add(line, _describe_like(self._lines[place], same))
        elif len(self._prompts) < MAX_REMEMBERED:
            self._prompts[record.prompt] = len(self._lines)
            self._lines.append(line)
            self._replies.append(record.reply)
        elif not self.counts["not-all-compared"]:
            self.add(line, _NOT_ALL_COMPARED)

    def shared_prompts(self, earlier: "FileCheck") -> list[tuple[int, int]]:
        """Find prompts that stand in both files: the first line here, the first line there."""
        return [
            (self._lines[place], earlier._lines[earlier._prompts[prompt]])
            for prompt, place in self._prompts.items()
            if prompt in earlier._prompts
        ]

    def report_blank_lines(self) -> None:
        """Lines that were blank turn out to have records after them."""
        if self.first_blank is None:
            return
        finding = Finding(
            "blank-line",
            "",
            "the line is blank, and AWS wants no empty lines",
            "Remove it.",
        )
        shown = min(self.blank, SHOWN)
        for number in range(self.first_blank, self.first_blank + shown):
            self.add(number, finding)
        self.counts[finding.code] += self.blank - shown
        self.first_blank, self.blank = None, 0

    def unite_wrong_format(self) -> None:
        """At the end: where every record is in one wrong format, the file is, and that is said."""
        found = [problem for problem in self.problems if problem.code == "wrong-format"]
        number = self.counts["wrong-format"]
        if number < 2 or number < self.records or len({(p.message, p.mend) for p in found}) > 1:
            return
        message = f"in each of its {number:,} lines {found[0].message}"
        whole = replace(found[0], line=None, message=message)
        self.problems = [whole, *(p for p in self.problems if p.code != "wrong-format")]
        self.counts["wrong-format"] = 1

    def compare_kinds(self) -> None:
        """At the end: system prompts that are odd among one kind, and labels out of balance."""
        if self.sound < LEAST_OF_A_KIND:
            return
        self._find_odd_systems()
        if self.kind == "training":
            self._weigh_labels()

    def report(self) -> Report:
        """Give all that was found, in the order of the lines."""
        summary = FileSummary(self.file, self.kind, self.records, self.bytes, self.tokens)
        ordered = sorted(
            self.problems, key=lambda problem: (problem.line is None, problem.line or 0)
        )
        return Report((summary,), tuple(ordered), dict(self.counts))

    def _take_label(self, answer: str) -> None:
        labels = self.labels
        if labels is None:
            return
        if len(answer) > MAX_LABEL_LENGTH or len(labels) > MAX_KINDS:
            self.labels = None
        else:
            labels[answer] += 1

    def _find_odd_systems(self) -> None:
        system, (most, _) = max(self.systems.items(), key=lambda item: item[1][0])
        if not system or most < ONE_KIND * self.sound:
            return
        for other, (number, line) in self.systems.items():
            if other != system:
                what = "has another system prompt" if other else "has no system prompt"
                more = f" (so have {number:,} in all)" if number > 1 else ""
                self.add(
                    line,
                    Finding(
                        "odd-system-prompt",
                        "system",
                        f"the record {what} than the one that {most:,} of {self.sound:,} have{more}"
                        if other
                        else f"the record {what}, and {most:,} of {self.sound:,} have one{more}",
                        "Give it the same one, unless the difference is meant.",
                    ),
                )

    def _weigh_labels(self) -> None:
        labels = self.labels
        if not labels or len(labels) < 2 or self.sound < LEAST_A_LABEL * len(labels):
            return
        (most, often), (least, seldom) = labels.most_common()[0], labels.most_common()[-1]
        if often > IMBALANCE * seldom and all(map(is_label, labels)):
            self.add(
                None,
                Finding(
                    "label-imbalance",
                    "",
                    f"the answer {quote(most)} stands in {count(often, 'record')}, "
                    f"{quote(least)} in {count(seldom, 'record')}; the model will learn to "
                    "prefer the frequent one",
                    "Add records of the rarer answers, or take some of the frequent away.",
                ),
            )


_NOT_ALL_COMPARED = Finding(
    "not-all-compared",
    "",
    f"from here on records are only compared with the first {MAX_REMEMBERED:,}",
    "Divide the file if duplicates matter.",
)


def _describe_like(first: int, same: bool) -> Finding:
    if same:
        return Finding(
            "duplicate-record",
            "",
            f"the record is the same as that of line {first}",
            "Remove one, unless it is meant to count twice.",
        )
    return Finding(
        "different-answers",
        "",
        f"the prompt is the same as that of line {first}, the answer another",
        "Keep the better answer, unless both are right.",
    )
