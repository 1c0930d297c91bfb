"""Why customization jobs fail, and how to fix it: words of AWS's message, and what to do.

Source: Bedrock User Guide, fine-tuning troubleshooting; messages that users have published.
"""

_TOO_LONG = "A record is longer than the model accepts. Shorten it and run notebook 2 again."
_FIXES = (  # the first whose words are in AWS's message, in lower case, applies
    (
        "license terms",
        "Anthropic's screening rejected the data. Remove harmful or copied texts, or ask AWS "
        "Support to examine the job.",
    ),
    (
        "kms",
        "The role may not use the key. Give kms_key_arn to notebook 1 and run it again; the key's "
        "own policy must let this account's IAM policies decide.",
    ),
    (  # before GetObject, which AWS's message names for both
        "listbucket",
        "The role may not list the bucket. Run notebook 1 again, which repairs the role.",
    ),
    (
        "getobject",
        "The role may not read that object. Run notebook 1 again, which repairs the role, and see "
        "that the bucket is in the job's Region.",
    ),
    (
        "putobject",
        "The role may not write to the output folder. Run notebook 1 again, which repairs the "
        "role.",
    ),
    (
        "assume",
        "Bedrock could not assume the role. Run notebook 1 again, which repairs its trust policy.",
    ),
    ("size exceeded", _TOO_LONG),
    ("token count", _TOO_LONG),
    (
        "jsonl format",
        "The file is not JSON Lines. Run notebook 2 again, which writes and checks it.",
    ),
    (
        "schema",
        "The records do not match the model's format. Run notebook 2 again, which converts them.",
    ),
    (
        "record",
        "The number of records is outside the limits of the model or of your quota. Notebook 2 "
        "shows both; change the shares or the data there.",
    ),
    (
        "try again",
        "The fault is AWS's, and another attempt may succeed.",
    ),
)
_UNKNOWN = "Read AWS's reason above; the Bedrock console shows the job under Custom models, Jobs."


def explain_failure(message: str | None) -> str:
    """Say how to fix what AWS gives as the reason why a job failed."""
    text = (message or "").lower()
    return next((fix for words, fix in _FIXES if words in text), _UNKNOWN)
