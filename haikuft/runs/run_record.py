"""The run's record: runs/<run>/run.json, the names and ARNs that a run has made so far.

Notebooks learn from it what exists, then ask AWS for the truth; nothing is kept in a kernel.
"""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from haikuft import aws
from haikuft.aws.ownership import CLASS_TAG, OWNER_TAG, RUN_TAG
from haikuft.base_models import BaseModel, get_base_model
from haikuft.errors import RecordError, SettingsError
from haikuft.inference.replies import NOTICE
from haikuft.runs.folders import choose_run, record_path
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record, write_record
from haikuft.tables import build_table

CLASS = "HAIKUFT_CLASS"  # the environment variable that names the class of a new run
_OWNER = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """A run, opened: its record, its connection, its base model, its directory.

    The directories `data`, `metrics`, `replies` and `figures` are made on first use.
    """

    record: RunRecord
    connection: aws.Connection
    base_model: BaseModel
    directory: Path

    @property
    def data(self) -> Path:
        """Where the training, validation and test files lie."""
        return _made(self.directory / "data")

    @property
    def metrics(self) -> Path:
        """Where the job's metric files lie."""
        return _made(self.directory / "metrics")

    @property
    def replies(self) -> Path:
        """Where the models' replies lie."""
        return _made(self.directory / "replies")

    @property
    def figures(self) -> Path:
        """Where the figures lie."""
        return _made(self.directory / "figures")

    @property
    def tags(self) -> dict[str, str]:
        """Tags that mark everything this run makes."""
        marks = {RUN_TAG: self.record.run, OWNER_TAG: self.record.owner}
        return marks | ({CLASS_TAG: self.record.class_id} if self.record.class_id else {})

    @property
    def notice(self) -> str:
        """The sentence that nothing here is Claude's or Nova's, for the sandbox; "" on AWS."""
        return NOTICE if self.record.target == "sandbox" else ""

    @property
    def resource_name(self) -> str:
        """Name of what serves the run's model; the names of its jobs begin so.

        Six characters of the owner id keep the names of two runs apart that are called the same.
        """
        return f"{resource_prefix(self.record.run)}-{self.record.owner[:6]}"

    @property
    def search_prefix(self) -> str:
        """How the names of a search's jobs begin, which no other notebook resumes."""
        return f"{self.resource_name}-s"

    def _repr_html_(self) -> str:
        return build_table(_summary(self))._repr_html_()

    def __repr__(self) -> str:
        return repr(build_table(_summary(self)))


def resource_prefix(run: str) -> str:
    """Say how the names of a run's jobs, models and throughputs begin."""
    return f"haikuft-{run}"


def begin_run(
    run: str = "",
    *,
    target: str = "sandbox",
    region: str = "",
    base_model_id: str = "",
    owner: str = "",
) -> Run:
    """Open the run's record, or begin it. Notebook 1 calls this, the others `open_run`.

    A run that is begun takes the class id in the environment variable HAIKUFT_CLASS.

    Args:
        run: name of the run; "" for the default one, see `choose_run`.
        target: "sandbox" or "aws".
        region: AWS Region; "" takes the record's, or the base model's own.
        base_model_id: model to tune; "" takes the record's, or the default.
        owner: owner id of a run whose record was lost, to adopt what it has made; "" for
            the record's, or a new one.

    Raises:
        RecordError: the run began with another target, account, Region, base model, owner
            id or class.
        SettingsError: the owner id cannot be one.
    """
    if owner and not _OWNER.fullmatch(owner):
        raise SettingsError(
            f'owner = "{owner}": an owner id has 16 characters of 0-9 and a-f. Take the one that '
            f"the tag {OWNER_TAG} shows, or leave it empty."
        )
    run = choose_run(run, target, new=True)
    path = record_path(run)
    given: dict[str, Any] = {"owner": owner, "class_id": os.environ.get(CLASS, "")}
    if not path.exists():
        base_model = get_base_model(base_model_id)
        connection = aws.connect(target, region=region or base_model.region)
        record = replace(
            new_record(run, connection, base_model),
            **{**given, "owner": owner or _new_owner()},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with suppress(FileExistsError):  # another process has begun it meanwhile
            write_record(path, record, new=True)
            return Run(record, connection, base_model, path.parent)
    opened = open_run(run, target=target, region=region, base_model_id=base_model_id)
    return _take_up(opened, given)


def new_record(run: str, connection: aws.Connection, base_model: BaseModel) -> RunRecord:
    """Make the record of a run that has made nothing, and has no owner id yet."""
    return RunRecord(
        run=run,
        target=connection.target,
        account_id=connection.account_id,
        region=connection.region,
        endpoint=connection.endpoint,
        sandbox_state=connection.sandbox_state,
        base_model_id=base_model.id,
    )


def open_run(
    run: str = "",
    *,
    target: str = "sandbox",
    region: str = "",
    base_model_id: str = "",
) -> Run:
    """Open a run that notebook 1 has begun, and check that it belongs here.

    A record from before there were owner ids is given one.

    Raises:
        RecordError: there is no record, or it disagrees with what is asked or found.
    """
    path = record_path(choose_run(run, target))
    record = read_record(path)
    check_folder(path, record)
    base_model = get_base_model(base_model_id or record.base_model_id)
    _agree(
        record,
        ("target", record.target, target),
        ("region", record.region, region or record.region),
        ("base_model_id", record.base_model_id, base_model.id),
    )
    connection = aws.connect(target, region=record.region)
    own_place = (
        ("sandbox_state", record.sandbox_state, connection.sandbox_state)
        if target == "sandbox"  # its port may change, its directory may not
        else ("endpoint", record.endpoint, connection.endpoint)
    )
    _agree(record, ("account_id", record.account_id, connection.account_id), own_place)
    opened = Run(record, connection, base_model, path.parent)
    return opened if record.owner else save(opened, owner=_new_owner())


def check_folder(path: Path, record: RunRecord) -> None:
    """Refuse the record of a copied folder: what it names belongs to the run it was copied from.

    Raises:
        RecordError: the record is another run's.
    """
    if record.run != path.parent.name:
        raise RecordError(
            f'{path} is the record of run "{record.run}", and its folder is called '
            f'"{path.parent.name}": the folder is a copy, or was renamed. What the record names '
            f'belongs to run "{record.run}", so nothing is changed or deleted from here. Continue '
            f'with run = "{record.run}" in its own folder, rename a renamed folder back, or '
            f"delete {FILE_NAME} in the copy and begin a new run there."
        )


def save(run: Run, **changes: Any) -> Run:
    """Write changes into the record on disk, and return the run with them.

    What another kernel has written since is kept.
    """
    path = run.directory / FILE_NAME
    record = replace(read_record(path) if path.exists() else run.record, **changes)
    write_record(path, record)
    return replace(run, record=record)


def _take_up(run: Run, given: Mapping[str, str]) -> Run:
    """Return the run under this owner id and class; a record that names nothing yet gets them."""
    record = run.record
    for name, value in given.items():
        found, parameter = getattr(record, name), CLASS if name == "class_id" else name
        if value not in ("", found) and not record.is_new:
            raise RecordError(
                f'{parameter} = "{value}": run "{record.run}" has "{found}" and has made things '
                f"under it. Leave {parameter} empty, or take another name for the other run."
            )
    return save(run, **{name: value for name, value in given.items() if value})


def _new_owner() -> str:
    return secrets.token_hex(8)


def _agree(record: RunRecord, *triples: tuple[str, str, str]) -> None:
    differing = [
        f'{name} is "{ours}" in the record and "{asked}" here'
        for name, ours, asked in triples
        if ours != asked
    ]
    if differing:
        raise RecordError(
            f'Run "{record.run}" belongs to {record.target}: {"; ".join(differing)}. Continue '
            "where it began (set the parameter, log in to the account or name the endpoint that "
            "the record names), or take another name for a new run."
        )


def _summary(run: Run) -> list[tuple[str, str]]:
    record = run.record
    where = [("endpoint", record.endpoint)] if record.endpoint and not record.sandbox_state else []
    return [
        ("run", record.run),
        ("target", record.target),
        ("account", f"…{record.account_id[-4:]}"),
        ("Region", record.region),
        ("base model", f"{run.base_model.name} ({run.base_model.id})"),
        *where,
        ("directory", str(Path("runs") / record.run)),
    ]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
