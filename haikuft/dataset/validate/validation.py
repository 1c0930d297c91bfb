"""Validation of data files: every problem, in one pass, with a place and a mend."""

import os
from collections import Counter

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.problems import Finding, Kind, Problem, Report, quotable
from haikuft.dataset.validate.file_rules import FileCheck, check_file

__all__ = ["Problem", "Report", "validate_file", "validate_files"]


def validate_file(
    path: str | os.PathLike[str], base_model: BaseModel = DEFAULT, *, kind: Kind = "training"
) -> Report:
    """Check one file under the limits of its kind. Never raises, whatever the file holds.

    A test file has the rules of training records and no limits on their number.
    """
    return check_file(path, base_model, kind).report()


def validate_files(
    training: str | os.PathLike[str],
    *,
    validation: str | os.PathLike[str] | None = None,
    test: str | os.PathLike[str] | None = None,
    base_model: BaseModel = DEFAULT,
) -> Report:
    """Check the files of one job, each by itself and then all together.

    Together: the sum of training and validation records against the model's quota, and prompts
    that stand in more than one of the files.
    """
    given: list[tuple[Kind, str | os.PathLike[str] | None]] = [
        ("training", training),
        ("validation", validation),
        ("test", test),
    ]
    checks = [check_file(path, base_model, kind) for kind, path in given if path is not None]
    _check_sum(checks, base_model)
    for number, check in enumerate(checks):
        for earlier in checks[:number]:
            _check_overlap(check, earlier)
    reports = [check.report() for check in checks]
    return Report(
        files=tuple(file for report in reports for file in report.files),
        problems=tuple(problem for report in reports for problem in report.problems),
        counts=dict(sum((Counter(report.counts) for report in reports), start=Counter())),
    )


def _check_sum(checks: list[FileCheck], base_model: BaseModel) -> None:
    limit = base_model.limits.max_total_records
    sizes = {check.kind: check.records for check in checks}
    total = sizes.get("training", 0) + sizes.get("validation", 0)
    if sizes.get("validation") and total > limit:
        quota = base_model.quota_codes.get("records_per_job", "")
        code = f" ({quota})" if quota else ""
        checks[0].add(
            None,
            Finding(
                "too-many-records-together",
                "",
                f"training and validation have {total:,} records together; a job takes {limit:,}",
                f"Take away {total - limit:,}, or ask AWS to raise the quota{code}.",
            ),
        )


def _check_overlap(check: FileCheck, earlier: FileCheck) -> None:
    for line, first in check.shared_prompts(earlier):
        check.add(
            line,
            Finding(
                "overlap",
                "",
                f"the prompt also stands in {quotable(earlier.file)}, line {first}, so what "
                f"is measured on this {check.kind} file is partly learnt by heart",
                "Keep it in one of the two files.",
            ),
        )
