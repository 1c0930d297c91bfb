"""`haikuft models`: which base models there are, what each allows, and what it changes."""

import argparse
from datetime import UTC, datetime


def models(_: argparse.Namespace) -> int:
    """Print the table of base models as of today."""
    from haikuft.base_models.table import describe_models

    print(describe_models(datetime.now(UTC).date()))
    return 0
