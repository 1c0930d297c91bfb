"""A job's two metric files: find them, read them, and assess what they show.

Documentation and real files disagree (an extra `perplexity` column, first step 0 or 1, one folder
more or less), so files are found by name and columns by header. Source: Bedrock User Guide,
"Analyze the results of a model customization job", and files of real jobs published on GitHub.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "assessment": "align_epochs assess map_validation_losses read_stop_rule replay_early_stop "
        "write_assessment",
        "files": "download_metrics find_metrics read_runs",
    },
)
