"""Amazon Nova: the text models that Bedrock still tunes.

Sources: Amazon Bedrock User Guide (custom-model-fine-tuning, custom-models-hp,
deploy-custom-model-on-demand, prov-thru-supported, model cards), Amazon Nova and Nova 2 User Guides
(preparing data, hyperparameters), AWS General Reference (Bedrock quotas) and the data validator
among the Nova samples. Where they disagree the stricter figure stands here, with a comment.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from haikuft.base_models.values import BaseModel, JobTime, Lifecycle, Limits, Range

_LIFECYCLE = Lifecycle(
    launched=date(2024, 12, 5),
    legacy=None,
    extended=None,
    end_of_life=None,
    as_of=date(2026, 10, 14),
    source="Amazon Bedrock User Guide, model cards",
)

_HYPERPARAMETERS: Mapping[str, Range] = {
    "epoch_count": Range(
        2,
        1,
        5,
        "int",
        "epochCount",
        "epochs",
        "Passes over the training set; cost grows with it.",
        suggested=5,
    ),
    "learning_rate": Range(
        1e-5,
        1e-6,
        1e-4,
        "float",
        "learningRate",
        "per update",
        "How far each update moves the weights.",
    ),
    # The Bedrock guide allows 100, both Nova guides 20.
    "learning_rate_warmup_steps": Range(
        10,
        0,
        20,
        "int",
        "learningRateWarmupSteps",
        "updates",
        "Updates over which the learning rate rises to its value; with little data few are left.",
        suggested=1,
    ),
}

NOVA_MICRO = BaseModel(
    id="amazon.nova-micro-v1:0:128k",
    foundation_id="amazon.nova-micro-v1:0",
    inference_id="amazon.nova-micro-v1:0",
    name="Amazon Nova Micro",
    provider="Amazon",
    regions=("us-east-1",),
    record_format="bedrock-conversation-2024",
    limits=Limits(
        min_records=8,
        max_training_records=20_000,
        max_validation_records=1_000,  # named by an AWS sample only
        max_total_records=20_000,
        max_record_tokens=32_000,
        max_training_bytes=None,
        max_validation_bytes=None,
        max_output_tokens=5_000,
    ),
    hyperparameters=_HYPERPARAMETERS,
    lifecycle=_LIFECYCLE,
    quota_codes={
        "records_per_job": "L-EC6A6ABC",
        "no_commitment_units": "L-BE77399C",
        "custom_models": "L-CB5B847D",
        "deployments": "L-1EF80F3E",
        "deployments_in_progress": "L-430C95DD",
    },
    # The guides name the first seven for prompts; the samples' validator adds the others.
    reserved_strings=(
        "User:",
        "Bot:",
        "Assistant:",
        "System:",
        "<image>",
        "<video>",
        "[EOS]",
        "Thought:",
        "<unk>",
    ),
    reserved_in_prompts=True,
    serving=("deployment", "provisioned_throughput"),
    job_time=JobTime(
        2 * 3600,
        "Nova Micro with 5,000 short records and 2 epochs, 1 to 2 hours",
        "the on-demand example among the Amazon Bedrock samples, stated and not measured",
    ),
)

NOVA_LITE = replace(
    NOVA_MICRO,
    id="amazon.nova-lite-v1:0:300k",
    foundation_id="amazon.nova-lite-v1:0",
    inference_id="amazon.nova-lite-v1:0",
    name="Amazon Nova Lite",
    quota_codes={**NOVA_MICRO.quota_codes, "records_per_job": "L-031F46A7"},
    job_time=JobTime(
        2 * 3600,
        "Nova Lite with 900 records of images and 5 epochs, about 2 hours",
        "a public blog, without a date",
    ),
)

NOVA_PRO = replace(
    NOVA_MICRO,
    id="amazon.nova-pro-v1:0:300k",
    foundation_id="amazon.nova-pro-v1:0",
    inference_id="amazon.nova-pro-v1:0",
    name="Amazon Nova Pro",
    quota_codes={**NOVA_MICRO.quota_codes, "records_per_job": "L-70FC4C0E"},
    job_time=None,
)

NOVA_2_LITE = replace(
    NOVA_MICRO,
    id="amazon.nova-2-lite-v1:0:256k",
    foundation_id="amazon.nova-2-lite-v1:0",
    inference_id="us.amazon.nova-2-lite-v1:0",  # asked through a profile alone
    name="Amazon Nova 2 Lite",
    limits=replace(
        NOVA_MICRO.limits,
        min_records=200,  # the Nova 2 guide says 8; Bedrock's page and the validator 200
        max_validation_records=0,
        max_output_tokens=64_000,
    ),
    lifecycle=replace(_LIFECYCLE, launched=date(2025, 12, 2)),
    quota_codes={**NOVA_MICRO.quota_codes, "records_per_job": "L-82EE9228"},
    job_time=JobTime(
        4 * 3600,
        "Nova 2 Lite with about 200 records, about 4 hours",
        "course material quoted in MAOFILHO/Portfolio-Projects on GitHub, 2026-08",
    ),
)
