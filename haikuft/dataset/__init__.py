"""Data sets: read raw examples, convert, split and validate them.

Notebook 2 uses most of it; notebooks 3, 5 and 6 read the files that it wrote. The command line has
`haikuft validate` and `haikuft convert`. Names load on first use.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "convert.converter": "convert_file read_raw",
        "formats": "title_of",
        "read.examples": "detect_format first_example",
        "read.sources": "find_dataset",
        "read.training_files": "read_records",
        "records": "prompt_of record_id reference_of write_records",
        "splitting": "check_split split_records write_split",
        "statistics": "describe_records",
        "tokens": "estimate_total_tokens",
        "validate.validation": "validate_file validate_files",
    },
)
