"""A job's two metric files: find, download and read them."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from haikuft.aws.errors import explaining
from haikuft.errors import DataError, NotFoundError
from haikuft.files import write_whole
from haikuft.s3 import read_text, split_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TRAINING_FILE = "step_wise_training_metrics.csv"
VALIDATION_FILE = "validation_metrics.csv"
_COUNTED = ("step_number", "epoch_number")  # columns of whole numbers

Losses = tuple[pd.DataFrame, pd.DataFrame | None]  # of one run: by step, and by epoch


@dataclass(frozen=True, slots=True)
class MetricFiles:
    """Where a job wrote its metrics.

    Attributes:
        training_uri: S3 URI of the losses by step.
        validation_uri: S3 URI of the losses by epoch; None when the job had no validation file.
    """

    training_uri: str
    validation_uri: str | None


def find_metrics(s3: "S3Client", output_uri: str, job_arn: str) -> MetricFiles:
    """Find both files by name, in whatever folder below the job's own the service put them.

    Args:
        s3: A client for the bucket's Region.
        output_uri: The job's `outputDataConfig.s3Uri`; other jobs may write below it too.
        job_arn: The job, whose folder is `model-customization-job-<last part of the ARN>`.

    Raises:
        SettingsError: output_uri is not an S3 URI.
        NotFoundError: there are no training metrics, or no such bucket.
        HaikuftError: the bucket may not be read.
    """
    bucket, prefix = split_uri(output_uri)
    folder = prefix.strip("/") + "/" if prefix.strip("/") else ""
    ours = f"model-customization-job-{job_arn.rsplit('/', 1)[-1]}/"
    newest: dict[str, tuple[bool, datetime, str]] = {}
    with explaining(f"looking for metrics below {output_uri}"):
        pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder))
    for item in (item for page in pages for item in page.get("Contents", [])):
        below, name = item["Key"].removeprefix(folder), item["Key"].rsplit("/", 1)[-1]
        # The user guide names the folder after the job's name in one place, after its id in
        # another; so any folder is accepted that is not another job's, this job's own first.
        is_ours = below.startswith(ours)
        if is_ours or not below.startswith("model-customization-job-"):
            found = (is_ours, item["LastModified"], item["Key"])
            newest[name] = max(newest.get(name, found), found)
    uris = {name: f"s3://{bucket}/{found[2]}" for name, found in newest.items()}
    if TRAINING_FILE not in uris:
        raise NotFoundError(
            f"No {TRAINING_FILE} of this job below {output_uri}. A job writes it when it "
            "completes: see its status in notebook 3, and whether its output was deleted."
        )
    return MetricFiles(uris[TRAINING_FILE], uris.get(VALIDATION_FILE))


def download_metrics(s3: "S3Client", uri: str | None, directory: Path) -> pd.DataFrame | None:
    """Download one metric file into a folder, and read it.

    Args:
        s3: A client for the bucket's Region.
        uri: From `find_metrics`; None, for no validation file, gives None.
        directory: The run's folder for metrics.

    Raises:
        HaikuftError: the file cannot be downloaded; DataError: it cannot be read.
    """
    if uri is None:
        return None
    text, name = read_text(s3, uri), uri.rpartition("/")[2]
    write_whole(directory / name, text)
    return read_metrics(text, source=name)


def read_runs(folder: Path, names: Iterable[str]) -> dict[str, Losses]:
    """Read the losses that other runs of this project keep; name -> by step, and by epoch.

    Args:
        folder: The folder of all runs.
        names: The runs' names.

    Raises:
        NotFoundError: a run has no losses yet.
        DataError: a file cannot be read.
    """
    found: dict[str, Losses] = {}
    for name in names:
        tables = {
            path.name: read_metrics(path.read_text("utf-8", errors="replace"), source=str(path))
            for path in (folder / name / "metrics").glob("*_metrics.csv")
        }
        if TRAINING_FILE not in tables:
            raise NotFoundError(
                f'Run "{name}" has no losses in {folder / name}. Run notebook 4 with that run '
                "first, or leave it out of further_runs."
            )
        found[name] = tables[TRAINING_FILE], tables.get(VALIDATION_FILE)
    return found


def read_metrics(text: str, *, source: str = "metrics") -> pd.DataFrame:
    """Read either file into a table with the columns step_number, epoch_number and loss.

    The loss column is the one whose name ends in "loss". Epochs count from 1, also where the file
    counts from 0; steps stay as they are; rows come in the order of their steps. A loss of NaN or
    infinity stays, because a diverged training is a result.

    Args:
        text: The whole file.
        source: The name errors give to it.

    Raises:
        DataError: a column is missing or a value is not a number.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    rows = [(number, row) for number, row in enumerate(lines, 1) if any(map(str.strip, row))]
    if not rows:
        raise DataError(f"{source}: the file is empty. Wait until the job has completed.")
    header = [name.strip().lower() for name in rows[0][1]]
    columns = _find_columns(header, source)
    values = (
        [_read_number(row, at, header[at], f"{source}, line {number}") for at in columns.values()]
        for number, row in rows[1:]
    )
    table = pd.DataFrame(values, columns=[*columns], dtype=float)
    table = table.astype(dict.fromkeys(_COUNTED, int))
    if table.empty:
        raise DataError(f"{source}: a header and no rows. Wait until the job has completed.")
    if table["epoch_number"].min() == 0:
        table["epoch_number"] += 1
    return table.sort_values("step_number", kind="stable", ignore_index=True)


def _find_columns(header: list[str], source: str) -> dict[str, int]:
    """Find the three columns; there must be one loss column."""
    losses = [at for at, name in enumerate(header) if name.endswith("loss")]
    missing = [name for name in _COUNTED if name not in header]
    missing += [] if losses else ["training_loss or validation_loss"]
    if missing or len(losses) > 1:
        fault = f"no column {' and no column '.join(missing)}" if missing else "two loss columns"
        raise DataError(
            f"{source}, line 1: {fault} in the header ({', '.join(header)}). "
            f"Use the job's {TRAINING_FILE} or {VALIDATION_FILE} as AWS wrote it."
        )
    return {name: header.index(name) for name in _COUNTED} | {"loss": losses[0]}


def _read_number(row: list[str], at: int, name: str, where: str) -> float:
    text = row[at].strip() if at < len(row) else ""
    try:
        value = float(text)
    except ValueError:
        raise DataError(
            f'{where}: {name} is "{text}", which is no number. Download the file again.'
        ) from None
    if name in _COUNTED and not value.is_integer():
        raise DataError(f"{where}: {name} is {text}, not a whole number. Download the file again.")
    return value
