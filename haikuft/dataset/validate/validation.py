"""Validate the files of a job: every problem in one pass, with its place and how to fix it."""

import os
from collections import Counter
from itertools import combinations
from typing import get_args

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.problems import make_finding, quotable
from haikuft.dataset.report import Kind, Report
from haikuft.dataset.validate.file_rules import check_file
from haikuft.dataset.validate.file_state import FileState


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
    that are in more than one of the files.
    """
    given = zip(get_args(Kind), (training, validation, test), strict=True)
    states = [check_file(path, base_model, kind) for kind, path in given if path is not None]
    _check_sum(states, base_model)
    for earlier, state in combinations(states, 2):
        file = quotable(earlier.file)
        for line, first in state.shared_prompts(earlier):
            state.add(line, make_finding("overlap", file=file, first=first, kind=state.kind))
    reports = [state.report() for state in states]
    return Report(
        files=tuple(file for report in reports for file in report.files),
        problems=tuple(problem for report in reports for problem in report.problems),
        counts=dict(sum((Counter(report.counts) for report in reports), start=Counter())),
    )


def _check_sum(states: list[FileState], base_model: BaseModel) -> None:
    limit = base_model.limits.max_total_records
    sizes = {state.kind: state.records for state in states}
    total = sizes.get("training", 0) + sizes.get("validation", 0)
    if sizes.get("validation") and total > limit:
        quota = base_model.quota_codes.get("records_per_job", "")
        code = f" ({quota})" if quota else ""
        found = make_finding(
            "too-many-records-together", total=total, most=limit, over=total - limit, quota=code
        )
        states[0].add(None, found)
