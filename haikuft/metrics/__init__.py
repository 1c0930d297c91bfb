"""A job's two metric files: find them, read them, and assess what they show.

Documentation and real files disagree (an extra `perplexity` column, first step 0 or 1, one folder
more or less), so files are found by name and columns by header. Source: Bedrock User Guide,
"Analyze the results of a model customization job", and files of real jobs published on GitHub.
"""

from haikuft.metrics.assessment import (
    align_epochs,
    assess,
    map_validation_losses,
    read_stop_rule,
    replay_early_stop,
    write_assessment,
)
from haikuft.metrics.files import download_metrics, find_metrics, read_runs

__all__ = [
    "align_epochs",
    "assess",
    "download_metrics",
    "find_metrics",
    "map_validation_losses",
    "read_runs",
    "read_stop_rule",
    "replay_early_stop",
    "write_assessment",
]
