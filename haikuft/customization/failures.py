"""Why customization jobs fail, and how to fix it, by the words of AWS's message."""

from haikuft.package_data import read_toml

_UNKNOWN = "Read AWS's reason above; the Bedrock console shows the job under Custom models, Jobs."


def explain_failure(message: str | None) -> str:
    """Say how to fix what AWS gives as the reason why a job failed."""
    fixes = read_toml(__package__, "failures.toml")
    text = (message or "").lower()
    return next((str(fix) for words, fix in fixes.items() if words in text), _UNKNOWN)
