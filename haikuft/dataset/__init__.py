"""Data sets: records, validation, conversion, splitting, statistics. No third-party imports."""

from haikuft.dataset.conversion import convert_record, detect_format, read_raw
from haikuft.dataset.labels import labels_of
from haikuft.dataset.problems import FileSummary, Problem, Report
from haikuft.dataset.records import (
    Record,
    prompt_key,
    prompt_of,
    read_records,
    record_id,
    reference_of,
    write_records,
)
from haikuft.dataset.sources import Source, find_dataset
from haikuft.dataset.splitting import Split, check_split, group_key, split_records
from haikuft.dataset.statistics import Spread, Statistics, describe_records
from haikuft.dataset.tokens import (
    NO_TOKENS,
    TokenRange,
    add_tokens,
    estimate_record_tokens,
    estimate_tokens,
    estimate_total_tokens,
)
from haikuft.dataset.validation import validate_file, validate_files

__all__ = [
    "NO_TOKENS",
    "FileSummary",
    "Problem",
    "Record",
    "Report",
    "Source",
    "Split",
    "Spread",
    "Statistics",
    "TokenRange",
    "add_tokens",
    "check_split",
    "convert_record",
    "describe_records",
    "detect_format",
    "estimate_record_tokens",
    "estimate_tokens",
    "estimate_total_tokens",
    "find_dataset",
    "group_key",
    "labels_of",
    "prompt_key",
    "prompt_of",
    "read_raw",
    "read_records",
    "record_id",
    "reference_of",
    "split_records",
    "validate_file",
    "validate_files",
    "write_records",
]
