"""What a notebook needs from those before it: asked of AWS, and who makes it when missing."""

from collections.abc import Callable

from haikuft import s3
from haikuft.aws.errors import unless_absent
from haikuft.customization.jobs import check_ended_well, find_job
from haikuft.customization.models import find_custom_model
from haikuft.errors import NotFoundError, SettingsError
from haikuft.iam import roles
from haikuft.inventory.resources import GONE, list_resources
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
    found = [(kind, _find(run, kind)) for kind in kinds]
    missing = [kind for kind, name in found if not name]
    if missing and run.connection.target == "sandbox" and _is_gone(run):
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


def _find(run: Run, kind: str) -> str:
    """Find what the record names; "" where it names nothing, or AWS knows it no more."""
    _, field, find = _FINDERS[kind]
    named = getattr(run.record, field)
    return find(run, named) if named else ""


def _is_gone(run: Run) -> bool:
    """Whether AWS knows nothing of what the record names; false where it names nothing."""
    made = list_resources(run)
    return bool(made) and all(one.status == GONE for one in made)


def _bucket(run: Run, name: str) -> str:
    return name if s3.bucket_region(run.connection.client("s3"), name) else ""


def _role(run: Run, name: str) -> str:
    return name if roles.find_role(run.connection.client("iam"), name) else ""


def _data(run: Run, training_uri: str) -> str:
    """Every file that the job reads."""
    uris = [uri for uri in (training_uri, run.record.validation_uri) if uri]
    keys, client = [s3.split_uri(uri)[1] for uri in uris], run.connection.client("s3")
    listed = (unless_absent(s3.list_objects, client, run.record.bucket, key) for key in keys)
    held = {key for objects in listed for key, _ in objects or ()}
    return ", ".join(keys) if held.issuperset(keys) else ""


def _test_file(run: Run, _: str) -> str:
    path = run.data / "test.jsonl"
    return path.name if path.exists() else ""


def _job(run: Run, arn: str) -> str:
    found = find_job(run.connection.client("bedrock"), arn)
    return check_ended_well(found).name if found else ""


def _custom_model(run: Run, arn: str) -> str:
    found = find_custom_model(run.connection.client("bedrock"), arn)
    return found.name if found else ""


def _served_model(run: Run, arn: str) -> str:
    """What serves the custom model, deployment or throughput, once it can be asked."""
    found = find_served(run.connection.client("bedrock"), arn)
    return found.name if found and found.ready else ""


# kind -> the notebook that makes it, the record's field that names it, and how it is found by that
# ("" where it is not)
_FINDERS: dict[str, tuple[str, str, Callable[[Run, str], str]]] = {
    "bucket": ("01_setup_iam", "bucket", _bucket),
    "role": ("01_setup_iam", "role_name", _role),
    "data": ("02_prepare_data", "training_uri", _data),
    "test file": ("02_prepare_data", "run", _test_file),
    "job": ("03_fine_tune", "job_arn", _job),
    "custom model": ("03_fine_tune", "custom_model_arn", _custom_model),
    "served model": ("05_provision", "served_arn", _served_model),
}
