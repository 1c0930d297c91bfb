"""The file behind a run's record: what it holds, and how it is read and written."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import msgspec

from haikuft.errors import RecordError
from haikuft.files import write_whole

FILE_NAME = "run.json"
_FEW = 10  # runs that an error names
_FIX = (
    "Repair the file, or move it aside and run notebook 1 again with the same name: it finds what "
    "the run has made in the account, and says how to resume it."
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run has made so far; "" or 0 where it has not come that far.

    Attributes:
        owner: 16 hexadecimal characters, made once: the value of the tag `haikuft:owner` on all
            that the run makes; "" in a record from before there were owner ids.
        class_id: the class that the run was begun for, the value of the tag `haikuft:class` on all
            that the run makes; "" for none.
        endpoint: URL in place of AWS's own; "" for AWS's own. The sandbox's may change.
        sandbox_state: the sandbox's state directory; "" on AWS.
        created: when the run began, ISO 8601 in UTC.
        permissions_boundary: ARN of the boundary of the roles that the run makes; "" for none.
        task: kind of task that notebook 2 recognised, one of `evaluation`'s `TASKS`; "" in a
            record from before it was kept.
        job_attempt: number of the job that was last asked for, counted from 1; likewise of the
            deployment and the throughput. A request that is repeated carries the same number.
        serving: how the custom model is served, "deployment" or "provisioned_throughput"; "" in a
            record from before there was a choice, which has throughput.
        deployment_arn: a deployment, which bills its tokens.
        throughput_arn: Provisioned Throughput, which bills until it is deleted.
        price_per_unit_hour: US dollars, as given to notebook 5; 0.0 if unknown.
        token_price: US dollars per 1,000 tokens that the deployment reads and writes, as given to
            notebook 5, such as "0.0003 0.0025"; "" for the price table's.
        price_date: the day of these prices, as given.
        evaluation_role_name: the role of notebook 6's evaluation jobs; "" where none was run.
        evaluation_job_arn: the last of these jobs.
        throughput_ends: when the throughput is meant to be deleted, ISO 8601 in UTC; "" without a
            limit.
    """

    run: str
    target: str
    owner: str = ""
    class_id: str = ""
    account_id: str = ""
    region: str = ""
    endpoint: str = ""
    sandbox_state: str = ""
    base_model_id: str = ""
    created: str = ""
    bucket: str = ""
    role_name: str = ""
    role_arn: str = ""
    permissions_boundary: str = ""
    kms_key_arn: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    dataset: str = ""
    system_prompt: str = ""
    task: str = ""
    seed: int = 0
    training_uri: str = ""
    validation_uri: str = ""
    test_uri: str = ""
    output_uri: str = ""
    training_records: int = 0
    validation_records: int = 0
    test_records: int = 0
    job_attempt: int = 0
    job_name: str = ""
    job_arn: str = ""
    custom_model_name: str = ""
    custom_model_arn: str = ""
    serving: str = ""
    deployment_attempt: int = 0
    deployment_name: str = ""
    deployment_arn: str = ""
    throughput_attempt: int = 0
    throughput_name: str = ""
    throughput_arn: str = ""
    model_units: int = 0
    commitment: str = ""
    price_per_unit_hour: float = 0.0
    token_price: str = ""
    price_date: str = ""
    throughput_ends: str = ""
    evaluation_role_name: str = ""
    evaluation_job_arn: str = ""

    @property
    def is_new(self) -> bool:
        """Whether it names nothing that the run has made."""
        return not (self.bucket or self.role_name or self.job_name or self.served_arn)

    @property
    def served_arn(self) -> str:
        """What is asked in place of the tuned model's id; "" where nothing serves it yet."""
        return self.deployment_arn if self.serving == "deployment" else self.throughput_arn


def read_record(path: Path) -> RunRecord:
    """Read a record, checking each field's type.

    Raises:
        RecordError: no such file, or one that is not a record; says what is wrong in it.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        runs = sorted(one.parent.name for one in path.parent.parent.glob(f"*/{FILE_NAME}"))
        here = f"Runs in this project: {', '.join(runs)}. " if 0 < len(runs) <= _FEW else ""
        raise RecordError(
            f'Run "{path.parent.name}" has no record in this project ({path} does not exist). '
            f"{here}Notebook 01_setup_iam begins a run."
        ) from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}. {_FIX}") from error
    try:
        record = msgspec.convert(values, RunRecord)
    except msgspec.ValidationError as error:
        raise RecordError(f"{path}: {error}. {_FIX}") from error
    if unknown := set(values) - {field.name for field in fields(RunRecord)}:
        raise RecordError(f"{path}: {', '.join(sorted(unknown))} unknown. {_FIX}")
    return record


def write_record(path: Path, record: RunRecord, *, new: bool = False) -> None:
    """Write a record in one step.

    Raises:
        FileExistsError: the record was to be new, and there is one.
    """
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False)
    write_whole(path, f"{text}\n", new=new)
