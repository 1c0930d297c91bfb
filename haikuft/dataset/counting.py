"""Tokens counted by Bedrock itself, for base models whose CountTokens is offered.

Source: Bedrock Runtime API, CountTokens; it costs nothing. The sandbox does not serve it, and not
every base model has it.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from haikuft.dataset.records import Record
from haikuft.dataset.tokens import TokenRange, estimate_total_tokens
from haikuft.errors import DataError

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

MESSAGES_VERSION = "bedrock-2023-05-31"


def count_tokens(runtime: "BedrockRuntimeClient", model_id: str, record: Record) -> int:
    """Ask Bedrock for the tokens of one record, its system prompt and all of its turns.

    Args:
        runtime: A bedrock-runtime client.
        model_id: The base model's inference id, e.g. `base_model.inference_id`.
        record: A sound record.

    Raises:
        HaikuftError: Bedrock refuses; the message says so in AWS's words when the model has no
            CountTokens, and then the estimate from bytes is what there is.
    """
    from haikuft.aws_errors import explaining

    body: dict[str, Any] = {"anthropic_version": MESSAGES_VERSION, "max_tokens": 1, **record}
    with explaining(f"counting tokens with {model_id}"):
        answer = runtime.count_tokens(
            modelId=model_id, input={"invokeModel": {"body": json.dumps(body).encode()}}
        )
    return answer["inputTokens"]


def refine_tokens(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    records: Sequence[Record],
    *,
    max_records: int = 100,
) -> TokenRange:
    """Narrow the estimate for all records by counting some of them.

    Up to `max_records` records, evenly spread over the lengths, are counted; all others are taken
    to have as many tokens a byte. The range that is left goes from the leanest to the densest of
    those counted; when every record was counted, all three figures are the count.

    Raises:
        DataError: no records, or none to be counted.
        HaikuftError: as for `count_tokens`.
    """
    if not records or max_records < 1:
        raise DataError("refine_tokens: no records to count. Give at least one.")
    ordered = sorted(records, key=_estimate)
    wanted = min(max_records, len(ordered))
    sample = [ordered[place * len(ordered) // wanted] for place in range(wanted)]
    counts = [count_tokens(runtime, model_id, record) for record in sample]
    if wanted == len(ordered):
        return TokenRange(sum(counts), sum(counts), sum(counts))
    total = estimate_total_tokens(records).likely
    ratios = [counted / _estimate(record) for counted, record in zip(counts, sample, strict=True)]
    likely = sum(counts) / sum(map(_estimate, sample))
    low, high = min(ratios), max(ratios)
    return TokenRange(int(total * low), round(total * likely), -int(-total * high // 1))


def _estimate(record: Record) -> int:
    return max(1, estimate_total_tokens([record]).likely)
