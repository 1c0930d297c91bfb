"""What Bedrock can tune: ids, Regions, limits, hyperparameter ranges, lifecycle.

Sources: Amazon Bedrock User Guide (custom-model-fine-tuning, model-customization-prepare,
cm-hp-anth-claude-3, model-lifecycle-legacy, prov-thru-supported,
deploy-custom-model-on-demand), AWS General Reference (Bedrock quotas) and the data validator
among the AWS samples. Dates are days in UTC; sizes are bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from haikuft.errors import SettingsError

Serving = Literal["provisioned_throughput", "deployment"]
LifecycleState = Literal["active", "legacy", "extended", "ended"]


@dataclass(frozen=True, slots=True)
class Range:
    """What one hyperparameter may be, both ends included.

    Attributes:
        default: What AWS takes when the key is left out.
        minimum: Smallest value allowed.
        maximum: Largest value allowed.
        kind: "int" for whole numbers, "float" for any number.
        aws_name: The key in AWS's `hyperParameters`.
        meaning: One sentence for forms and messages.
    """

    default: float
    minimum: float
    maximum: float
    kind: Literal["int", "float"]
    aws_name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a data set for this model may be.

    Attributes:
        min_records: Smallest number of records, in each file.
        max_training_records: Largest number of training records.
        max_validation_records: Largest number of validation records.
        max_total_records: Largest sum of both; a quota that AWS can raise.
        max_record_tokens: Largest number of tokens in one record.
        max_training_bytes: Largest training file.
        max_validation_bytes: Largest validation file.
        max_output_tokens: Longest reply the model can give.
    """

    min_records: int
    max_training_records: int
    max_validation_records: int
    max_total_records: int
    max_record_tokens: int
    max_training_bytes: int
    max_validation_bytes: int
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The documented dates of a model; AWS's own answer counts more where one can ask.

    Attributes:
        launched: First day on Bedrock.
        legacy: From this day on no new customization job and no new Provisioned Throughput.
        extended: From this day on the provider may raise prices.
        end_of_life: From this day on requests fail.
        as_of: The day of the documentation these dates were read from.
        source: The page they were read from.
    """

    launched: date | None
    legacy: date | None
    extended: date | None
    end_of_life: date | None
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A foundation model that Bedrock can tune, or could.

    Attributes:
        id: The id for customization, with its context suffix.
        inference_id: The id for asking the untuned model on demand.
        name: What people call it.
        provider: Who made it.
        regions: Regions that tune it; the first is the one we take unless told otherwise.
        record_format: Name of the training records' shape.
        limits: What a data set for it may be.
        hyperparameters: Our name -> its range, in the order AWS lists them.
        lifecycle: Documented dates.
        quota_codes: What is counted -> Service Quotas code.
        reserved_strings: Text that no system prompt and no message may hold.
        serving: How AWS serves its custom models: Provisioned Throughput, deployment on demand.
    """

    id: str
    inference_id: str
    name: str
    provider: str
    regions: tuple[str, ...]
    record_format: str
    limits: Limits
    hyperparameters: Mapping[str, Range] = field(hash=False)
    lifecycle: Lifecycle
    quota_codes: Mapping[str, str] = field(hash=False)
    reserved_strings: tuple[str, ...]
    serving: tuple[Serving, ...]

    @property
    def region(self) -> str:
        """Region taken when none is named."""
        return self.regions[0]

    def arn(self, region: str = "") -> str:
        """Build the model's ARN for customization; its account field is empty."""
        return f"arn:aws:bedrock:{region or self.region}::foundation-model/{self.id}"


@dataclass(frozen=True, slots=True)
class TunableModel:
    """A line of the documented list of models that Bedrock still tunes.

    Attributes:
        id: The id for customization.
        name: What people call it.
        region: The Region that tunes it.
    """

    id: str
    name: str
    region: str


CLAUDE_3_HAIKU = BaseModel(
    id="anthropic.claude-3-haiku-20240307-v1:0:200k",
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
            2, 1, 10, "int", "epochCount", "Most passes over the training set; cost grows with it."
        ),
        "batch_size": Range(
            32, 4, 256, "int", "batchSize", "Records used for each update of the model."
        ),
        "learning_rate_multiplier": Range(
            1.0,
            0.1,
            2.0,
            "float",
            "learningRateMultiplier",
            "Scales the learning rate that AWS has set for this model.",
        ),
        "early_stopping_threshold": Range(
            0.001,
            0.0,
            0.1,
            "float",
            "earlyStoppingThreshold",
            "Smallest fall of the validation loss that counts as an improvement.",
        ),
        "early_stopping_patience": Range(
            2,
            1,
            10,
            "int",
            "earlyStoppingPatience",
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

BASE_MODELS: Mapping[str, BaseModel] = {CLAUDE_3_HAIKU.id: CLAUDE_3_HAIKU}
DEFAULT = CLAUDE_3_HAIKU

# The text models listed as tunable and Active; the list moves, so ask AWS before relying on it.
STILL_TUNABLE_AS_OF = date(2026, 10, 14)
STILL_TUNABLE_SOURCE = "Amazon Bedrock User Guide, custom-model-fine-tuning and model cards"
STILL_TUNABLE = (
    TunableModel("amazon.nova-micro-v1:0:128k", "Amazon Nova Micro", "us-east-1"),
    TunableModel("amazon.nova-lite-v1:0:300k", "Amazon Nova Lite", "us-east-1"),
    TunableModel("amazon.nova-pro-v1:0:300k", "Amazon Nova Pro", "us-east-1"),
    TunableModel("amazon.nova-2-lite-v1:0:256k", "Amazon Nova 2 Lite", "us-east-1"),
)


def get_base_model(base_model_id: str = "") -> BaseModel:
    """Find a base model by its customization id, inference id or ARN; "" is the default one.

    Raises:
        SettingsError: no model here goes by that name; the message lists those that do.
    """
    if not base_model_id:
        return DEFAULT
    wanted = base_model_id.rpartition("foundation-model/")[2]
    for model in BASE_MODELS.values():
        if wanted in (model.id, model.inference_id):
            return model
    known = ", ".join(BASE_MODELS)
    raise SettingsError(
        f'base_model_id "{base_model_id}" is not a model this series can tune. Known: {known}. '
        'Take one of these, or leave it "" for the default.'
    )


def lifecycle_state(model: BaseModel, today: date) -> LifecycleState:
    """Where the model stands on that day by its documented dates."""
    dates = model.lifecycle
    if dates.end_of_life is not None and today >= dates.end_of_life:
        return "ended"
    if dates.extended is not None and today >= dates.extended:
        return "extended"
    if dates.legacy is not None and today >= dates.legacy:
        return "legacy"
    return "active"


def describe_lifecycle(model: BaseModel, today: date) -> str:
    """Say in a sentence or two what the documented dates mean for someone starting today."""
    dates = model.lifecycle
    read = f"({dates.source}, as of {dates.as_of})"
    frozen = "no new customization job and no new Provisioned Throughput can be created"
    end = f" Its end of life is {dates.end_of_life}." if dates.end_of_life else ""
    match lifecycle_state(model, today):
        case "ended":
            return (
                f"{model.name} reached its end of life on Amazon Bedrock on {dates.end_of_life}: "
                f"AWS answers no more requests for it {read}."
            )
        case "extended":
            return (
                f"{model.name} has been Legacy on Amazon Bedrock since {dates.legacy}: {frozen}, "
                f"and since {dates.extended} its price may rise {read}.{end}"
            )
        case "legacy":
            return (
                f"{model.name} has been Legacy on Amazon Bedrock since {dates.legacy}: "
                f"{frozen} {read}.{end}"
            )
        case "active":
            until = f"; it becomes Legacy on {dates.legacy}" if dates.legacy else ""
            return f"{model.name} is active on Amazon Bedrock{until} {read}.{end}"
