"""Why customization jobs fail, and what to do: AWS's words on one side, a mend on the other.

Source: Bedrock User Guide, fine-tuning troubleshooting; messages that users have published.
"""

_MENDS = (  # the first whose words stand in AWS's message, in lower case
    (
        "license terms",
        "Anthropic's screening took exception to the data. Look for harmful or copied texts and "
        "remove them, or ask AWS Support to look at the job.",
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
        "Bedrock could not take on the role. Run notebook 1 again, which repairs its trust policy.",
    ),
    (
        "size exceeded",
        "A record is longer than the model takes. Shorten it and run notebook 2 again.",
    ),
    (
        "token count",
        "A record is longer than the model takes. Shorten it and run notebook 2 again.",
    ),
    (
        "jsonl format",
        "The file is not JSON Lines. Run notebook 2 again, which writes and checks it.",
    ),
    (
        "schema",
        "The records do not fit the model's format. Run notebook 2 again, which converts them.",
    ),
    (
        "record",
        "The number of records does not suit the model or your quota. Notebook 2 shows both; "
        "change the shares or the data there.",
    ),
    (
        "try again",
        "The fault is AWS's, and another try may do.",
    ),
)
_UNKNOWN = "Read AWS's reason above; the Bedrock console shows the job under Custom models, Jobs."


def explain_failure(message: str | None) -> str:
    """Say how to mend what AWS gives as a job's reason to fail."""
    text = (message or "").lower()
    return next((mend for words, mend in _MENDS if words in text), _UNKNOWN)
