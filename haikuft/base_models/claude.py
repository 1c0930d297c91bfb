"""Claude 3 Haiku, the series' subject.

Sources: Amazon Bedrock User Guide (custom-model-fine-tuning, model-customization-prepare,
cm-hp-anth-claude-3, prov-thru-supported, model-lifecycle-legacy), AWS General Reference (Bedrock
quotas) and the data validator among the AWS samples.
"""

from datetime import date

from haikuft.base_models.values import BaseModel, Lifecycle, Limits, Range

CLAUDE_3_HAIKU = BaseModel(
    id="anthropic.claude-3-haiku-20240307-v1:0:200k",
    foundation_id="anthropic.claude-3-haiku-20240307-v1:0",
    inference_id="anthropic.claude-3-haiku-20240307-v1:0",
    name="Claude 3 Haiku",
    provider="Anthropic",
    regions=("us-west-2",),
    record_format="messages",
    limits=Limits(
        min_records=32,
        max_training_records=10_000,
        max_validation_records=1_000,
        max_total_records=10_000,
        max_record_tokens=32_000,
        # The guide says GB and AWS's validator counts GiB: we take the smaller one.
        max_training_bytes=10 * 10**9,
        max_validation_bytes=10**9,
        max_output_tokens=4_096,
    ),
    hyperparameters={
        "epoch_count": Range(
            2,
            1,
            10,
            "int",
            "epochCount",
            "epochs",
            "Most passes over the training set; cost grows with it.",
            suggested=5,
        ),
        "batch_size": Range(
            32,
            4,
            256,
            "int",
            "batchSize",
            "records",
            "Records used for each update of the model.",
            suggested=8,
        ),
        "learning_rate_multiplier": Range(
            1.0,
            0.1,
            2.0,
            "float",
            "learningRateMultiplier",
            "factor",
            "Scales the learning rate that AWS has set for this model.",
            suggested=0.5,
        ),
        "early_stopping_threshold": Range(
            0.001,
            0.0,
            0.1,
            "float",
            "earlyStoppingThreshold",
            "loss",
            "Smallest fall of the validation loss that counts as an improvement.",
        ),
        "early_stopping_patience": Range(
            2,
            1,
            10,
            "int",
            "earlyStoppingPatience",
            "epochs",
            "Epochs in a row without improvement that end the training.",
        ),
    },
    lifecycle=Lifecycle(
        launched=date(2024, 3, 13),
        legacy=date(2026, 3, 10),
        extended=date(2026, 6, 10),
        end_of_life=date(2026, 9, 10),
        as_of=date(2026, 10, 14),
        source="Amazon Bedrock User Guide, model-lifecycle-legacy",
    ),
    quota_codes={
        "records_per_job": "L-679179D2",
        "no_commitment_units": "L-BE77399C",
        "units_per_provisioned_model": "L-EF415EF6",
        "custom_models": "L-CB5B847D",
    },
    # Named by AWS's validator, not by the guide; without the newline before them they may stand.
    reserved_strings=("\nHuman:", "\nAssistant:"),
    serving=("provisioned_throughput",),
)
