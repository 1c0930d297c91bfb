"""Test records as the prompts of a Bedrock evaluation job, checked against its quotas.

A job's prompt is one text, so a record's system prompt and turns are written one after another.
Ask a model that was tuned on system prompt and turns with `inference.ask_many`, and give its
replies to the job: then the job judges what the model answers to the prompt of its training.
Sources: Bedrock User Guide, "Create a prompt dataset for a model evaluation job that uses a model
as judge"; AWS General Reference, quotas of Amazon Bedrock (none of these can be raised).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import DataError
from haikuft.evaluation.scorers.scorer import list_different
from haikuft.inference.replies import Reply

MAX_PROMPTS = 1_000  # in one custom prompt dataset
MAX_PROMPT_BYTES = 4 * 1024  # of one prompt

Prompt = dict[str, Any]
"""{"prompt", "referenceResponse", "modelResponses"}, a line of the job's dataset."""


def build_prompts(
    records: Sequence[Record], replies: Mapping[str, Reply], *, source: str
) -> list[Prompt]:
    """Turn test records and a model's replies into the lines of an evaluation job's dataset.

    Args:
        records: The test records; copies count once.
        replies: Record id to the reply that the job is to score.
        source: Name of what replied, such as "tuned"; the request names it, too.

    Raises:
        DataError: a record has no reply, or there are no records.
    """
    if not records:
        raise DataError("There are no records to evaluate.")
    prompts: list[Prompt] = []
    for record in list_different(records):
        key = record_id(record)
        reply = replies.get(key)
        if reply is None or reply.error is not None:
            raise DataError(
                f"Record {key} has no reply of {source}. Ask again: only what is missing is "
                "asked; or leave the record out."
            )
        response = {"response": reply.text, "modelIdentifier": source}
        prompt = {"prompt": _flatten(record), "referenceResponse": reference_of(record)}
        prompts.append({**prompt, "modelResponses": [response]})
    return prompts


def check_prompts(prompts: Sequence[Prompt]) -> None:
    """Check prompts against the quotas of an evaluation job.

    Raises:
        DataError: too many prompts, or some too long; says how many and names the first.
    """
    if len(prompts) > MAX_PROMPTS:
        raise DataError(
            f"{len(prompts):,} prompts; an evaluation job takes {MAX_PROMPTS:,}. Evaluate a sample "
            "of the records, or several jobs."
        )
    sizes = [len(prompt["prompt"].encode(errors="surrogatepass")) for prompt in prompts]
    long = [number for number, size in enumerate(sizes, 1) if size > MAX_PROMPT_BYTES]
    if long:
        raise DataError(
            f"{len(long)} of {len(prompts)} prompts are longer than the {MAX_PROMPT_BYTES:,} bytes "
            f"an evaluation job takes, first number {long[0]} with {sizes[long[0] - 1]:,} bytes. "
            "Leave those records out and say so with the result."
        )


def _flatten(record: Record) -> str:
    """Write system prompt and turns as one text; roles are named where there are several turns."""
    system, turns = prompt_of(record)
    parts = [system] if system else []
    if len(turns) == 1:
        parts.append(turns[0]["content"])
    else:
        parts += [f"{turn['role'].capitalize()}: {turn['content']}" for turn in turns]
    return "\n\n".join(parts)
