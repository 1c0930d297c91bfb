"""The data of a base model: ids, Regions, limits, hyperparameters, serving, lifecycle.

Dates are days in UTC; sizes are bytes. What differs between families is in these values, so no
notebook and no other module needs to ask which family a model belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

RecordFormat = Literal["messages", "bedrock-conversation-2024"]
Serving = Literal["deployment", "provisioned_throughput"]


@dataclass(frozen=True, slots=True)
class Range:
    """What one hyperparameter may be, both ends included.

    Attributes:
        default: What AWS takes when the key is left out.
        minimum: Smallest value allowed.
        maximum: Largest value allowed.
        kind: "int" for whole numbers, "float" for any number.
        aws_name: The key in AWS's `hyperParameters`.
        unit: What it counts, for forms.
        meaning: One sentence for forms and messages.
        suggested: What this series takes for a few hundred records; None for AWS's default.
    """

    default: int | float
    minimum: int | float
    maximum: int | float
    kind: Literal["int", "float"]
    aws_name: str
    unit: str
    meaning: str
    suggested: int | float | None = None

    @property
    def start(self) -> float:
        """The value this series begins with."""
        return self.default if self.suggested is None else self.suggested


@dataclass(frozen=True, slots=True)
class Limits:
    """What a data set for this model may be.

    Attributes:
        min_records: Smallest number of records, in each file.
        max_training_records: Largest number of training records.
        max_validation_records: Largest number of validation records; 0 for a model that takes none.
        max_total_records: Largest sum of both; a quota that AWS can raise.
        max_record_tokens: Largest number of tokens in one record.
        max_output_tokens: Longest reply the model can give.
        max_training_bytes: Largest training file; None where no source names a limit.
        max_validation_bytes: Largest validation file; None where no source names a limit.
    """

    min_records: int
    max_training_records: int
    max_validation_records: int
    max_total_records: int
    max_record_tokens: int
    max_output_tokens: int
    max_training_bytes: int | None = None
    max_validation_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The documented dates of a model; AWS's own answer counts more where one can ask.

    Attributes:
        as_of: The day of the documentation these dates were read from.
        source: The page they were read from.
        launched: First day on Bedrock.
        legacy: From this day on no new customization job and no new Provisioned Throughput.
        extended: From this day on the provider may raise prices.
        end_of_life: From this day on requests fail.
    """

    as_of: date
    source: str
    launched: date | None = None
    legacy: date | None = None
    extended: date | None = None
    end_of_life: date | None = None


@dataclass(frozen=True, slots=True)
class JobTime:
    """How long a customization job has taken, as far as anybody has said.

    Attributes:
        seconds: The longest of what was said.
        of: Which job, in words.
        source: Where it was read.
    """

    seconds: float
    of: str
    source: str


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A foundation model that Bedrock can tune, or could.

    Attributes:
        id: The id for customization, with its context suffix.
        foundation_id: The plain id under which AWS lists it.
        inference_id: What the untuned model is asked by: its plain id, or an inference profile.
        name: What people call it.
        provider: Who made it.
        regions: Regions that tune it; the first is the one we take unless told otherwise.
        record_format: Name of the training records' shape.
        limits: What a data set for it may be.
        hyperparameters: Our name -> its range, in the order AWS lists them.
        lifecycle: Documented dates.
        quota_codes: What is counted -> Service Quotas code.
        reserved_strings: Text that no prompt may hold.
        reserved_in_prompts: They are reserved in prompts, in upper and lower case; an answer that
            holds one is only warned of.
        serving: How AWS serves its custom models, the one cheaper for a trial first.
        training_batch: Records for each update where the service chooses and does not say: what
            the sandbox takes.
        job_time: How long a job takes; None where no source says it in figures.
        fixed_hyperparameters: AWS's names of keys that the tables of hyperparameters do not have
            and AWS takes all the same -> the one value that a source shows.
    """

    id: str
    foundation_id: str
    inference_id: str
    name: str
    provider: str
    regions: tuple[str, ...]
    record_format: RecordFormat
    limits: Limits
    hyperparameters: Mapping[str, Range] = field(hash=False)
    lifecycle: Lifecycle
    quota_codes: Mapping[str, str] = field(hash=False)
    reserved_strings: tuple[str, ...]
    serving: tuple[Serving, ...]
    reserved_in_prompts: bool = False
    training_batch: int = 8
    job_time: JobTime | None = None
    fixed_hyperparameters: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def takes_validation(self) -> bool:
        """Whether a job takes a validation file."""
        return self.limits.max_validation_records > 0

    @property
    def stops_early(self) -> bool:
        """Whether a job itself can end on its validation loss."""
        return "early_stopping_patience" in self.hyperparameters

    @property
    def region(self) -> str:
        """Region taken when none is named."""
        return self.regions[0]

    def arn(self, region: str = "") -> str:
        """Build the model's ARN for customization; its account field is empty."""
        return f"arn:aws:bedrock:{region or self.region}::foundation-model/{self.id}"
