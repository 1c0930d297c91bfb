"""Forget what was asked in a run: delete its prompts and replies from disk, keep its numbers."""

import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearOutputPreprocessor

from haikuft.evaluation.report.files import CSV_FILE
from haikuft.live.history import FILE_NAME as PLAYGROUND
from haikuft.runs.choices import FILE_NAME as CHOICES
from haikuft.runs.choices import save_choices
from haikuft.runs.folders import record_path
from haikuft.runs.record_file import read_record, write_record
from haikuft.series.export import read_notebook
from haikuft.series.report import write_report

# What holds prompts or replies; notebooks and pages hold them in their outputs, and a search
# records for its trials in files that are named by a hash.
_TEXTS = ("data", "replies", "notebooks", "exports", CSV_FILE, PLAYGROUND, "search/[0-9a-f]*.jsonl")


def forget_texts(run: str) -> tuple[list[Path], list[Path]]:
    """Delete a run's prompts, replies and playground history, and write its report without them.

    The record, the metrics, the scores and the figures stay, and so do the notebooks in "lab", but
    for their outputs. Nothing is deleted on AWS.

    Returns:
        The files and folders that were deleted, and the notebooks whose outputs were.

    Raises:
        RecordError: there is no such run.
        DataError: a file in "lab" is not a notebook; nothing was deleted.
    """
    path = record_path(run)
    record, directory = read_record(path), path.parent
    checkpoints = list((directory / "lab").rglob(".ipynb_checkpoints"))
    written = {
        one: read_notebook(one)
        for one in sorted((directory / "lab").rglob("*.ipynb"))
        if one.parent not in checkpoints
    }
    for one, document in written.items():
        document.metadata.pop("widgets", None)
        ClearOutputPreprocessor().preprocess(document, {})  # type: ignore[no-untyped-call]
        nbformat.write(document, one)  # type: ignore[no-untyped-call]
    found = checkpoints + [one for name in _TEXTS for one in sorted(directory.glob(name))]
    for one in found:
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    write_record(path, replace(record, system_prompt=""))
    if (directory / CHOICES).exists():
        save_choices(run, {"system_prompt": ""})
    write_report(directory)
    return found, list(written)
