"""What a notebook needs from those before it: asked of AWS, and who makes it when missing."""

from collections.abc import Callable

from haikuft import s3
from haikuft.customization.jobs import check_ended_well, find_job
from haikuft.customization.models import find_custom_model
from haikuft.errors import NotFoundError, SettingsError
from haikuft.iam import roles
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import find_served
from haikuft.tables import Table, build_table


def require(run: Run, *kinds: str) -> Table:
    """Find what earlier notebooks have made, or say which notebook makes it again.

    Args:
        run: Whose things.
        kinds: Any of "bucket", "role", "data", "test file", "job", "custom model",
            "served model".

    Returns:
        Each kind with the name of what was found.

    Raises:
        NotFoundError: names everything that is gone or was never made, and its notebook.
        AccessError: AWS did not let us look.
        SettingsError: a kind that is none of these.
    """
    unknown = [kind for kind in kinds if kind not in _FINDERS]
    if unknown:
        raise SettingsError(f"{unknown[0]!r} is no kind; use one of {', '.join(_FINDERS)}.")
    found = [(kind, _FINDERS[kind][1](run)) for kind in kinds]
    missing = [kind for kind, name in found if not name]
    if missing and run.connection.target == "sandbox" and not _find_any(run):
        dataset = f" --dataset {run.record.dataset}" if run.record.dataset else ""
        raise NotFoundError(
            f'This sandbox is new, or the run was cleaned up: all of run "{run.record.run}" is '
            "gone. Run notebook 01_setup_iam and those after it, or all of them at once: "
            f"haikuft run --run {run.record.run}{dataset} --no-clean-up"
        )
    if missing:
        first = min((_FINDERS[kind][0] for kind in missing), key=lambda notebook: notebook[:2])
        words = " and ".join(f"the {kind}" for kind in missing)
        raise NotFoundError(
            f'Of run "{run.record.run}" AWS does not know {words} (never made, or gone since). '
            f"Run notebook {first} with this run's name; it makes again what is gone."
        )
    return build_table(found, "needed", "found")


def _find_any(run: Run) -> bool:
    """Whether AWS knows anything of what the record names; true where it names nothing."""
    made = {
        "bucket": run.record.bucket,
        "role": run.record.role_name,
        "custom model": run.record.custom_model_arn,
    }
    kinds = [kind for kind, name in made.items() if name]
    bedrock, job_arn = run.connection.client("bedrock"), run.record.job_arn
    job_is_there = bool(job_arn and find_job(bedrock, job_arn))
    return not kinds or job_is_there or any(_FINDERS[kind][1](run) for kind in kinds)


def _bucket(run: Run) -> str:
    name = run.record.bucket
    return name if name and s3.bucket_region(run.connection.client("s3"), name) else ""


def _role(run: Run) -> str:
    name = run.record.role_name
    return name if name and roles.find_role(run.connection.client("iam"), name) else ""


def _data(run: Run) -> str:
    """Every file that the job reads."""
    if not _bucket(run) or not run.record.training_uri:
        return ""
    uris = [uri for uri in (run.record.training_uri, run.record.validation_uri) if uri]
    keys, client = [s3.split_uri(uri)[1] for uri in uris], run.connection.client("s3")
    held = {key for one in keys for key, _ in s3.list_objects(client, run.record.bucket, one)}
    return ", ".join(keys) if held.issuperset(keys) else ""


def _test_file(run: Run) -> str:
    path = run.data / "test.jsonl"
    return path.name if path.exists() else ""


def _job(run: Run) -> str:
    bedrock = run.connection.client("bedrock")
    found = find_job(bedrock, run.record.job_arn) if run.record.job_arn else None
    return check_ended_well(found).name if found else ""


def _custom_model(run: Run) -> str:
    arn = run.record.custom_model_arn
    found = find_custom_model(run.connection.client("bedrock"), arn) if arn else None
    return found.name if found else ""


def _served_model(run: Run) -> str:
    """What serves the custom model, deployment or throughput, once it can be asked."""
    arn = run.record.served_arn
    found = find_served(run.connection.client("bedrock"), arn) if arn else None
    return found.name if found and found.ready else ""


# kind -> the notebook that makes it, and how it is found ("" where it is not)
_FINDERS: dict[str, tuple[str, Callable[[Run], str]]] = {
    "bucket": ("01_setup_iam", _bucket),
    "role": ("01_setup_iam", _role),
    "data": ("02_prepare_data", _data),
    "test file": ("02_prepare_data", _test_file),
    "job": ("03_fine_tune", _job),
    "custom model": ("03_fine_tune", _custom_model),
    "served model": ("05_provision", _served_model),
}
