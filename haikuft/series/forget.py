"""Forget what was asked in a run: delete its prompts and replies from disk, keep its numbers."""

import shutil
from dataclasses import replace
from pathlib import Path

from haikuft.evaluation.report.files import CSV_FILE
from haikuft.live.history import FILE_NAME as PLAYGROUND
from haikuft.runs.folders import record_path
from haikuft.runs.record_file import read_record, write_record
from haikuft.series.report import write_report

# What holds prompts or replies; notebooks and pages hold them in their outputs.
_TEXTS = ("data", "replies", "notebooks", "lab", "exports", CSV_FILE, PLAYGROUND)


def forget_texts(run: str) -> list[Path]:
    """Delete a run's prompts, replies and playground history, and write its report without them.

    The record, the metrics, the scores and the figures stay. Nothing is deleted on AWS.

    Returns:
        The files and folders that were deleted.

    Raises:
        RecordError: there is no such run.
    """
    path = record_path(run)
    record, directory = read_record(path), path.parent
    found = [directory / name for name in _TEXTS if (directory / name).exists()]
    for one in found:
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    write_record(path, replace(record, system_prompt=""))
    write_report(directory)
    return found
