"""Clean up after a run whose record is lost: list what carries its tags, ask, delete."""

import sys

from haikuft import aws, inventory
from haikuft.base_models import get_base_model
from haikuft.errors import NotFoundError, SettingsError
from haikuft.run_record import Run, record_path

DONE, LEFT = 0, 1  # exit statuses


def clean_up_lost(
    name: str,
    *,
    target: str,
    region: str = "",
    base_model_id: str = "",
    owner: str = "",
    confirmed: bool = False,
) -> int:
    """Delete what carries a run's name and owner id, and return 0, or 1 where something is left.

    Args:
        name: the run's name.
        target: "sandbox" or "aws".
        region: where to look; "" for the base model's own Region.
        base_model_id: what was tuned; "" for the default model.
        owner: whose, where several runs of that name are found.
        confirmed: True deletes without asking.

    Raises:
        NotFoundError: nothing carries the name and the owner id.
        SettingsError: several owners, or nobody is there to be asked.
    """
    base_model = get_base_model(base_model_id)
    connection = aws.connect(target, region=region or base_model.region)
    directory = record_path(name).parent
    lost = inventory.find_lost(connection, base_model, name, directory)
    run = _choose(lost, name, owner, f"account …{connection.account_id[-4:]}, {connection.region}")
    print(f'Run "{name}", owner id {run.record.owner}:')
    print(inventory.tabulate(inventory.list_resources(run)))
    if not (confirmed or _ask()):
        print("Nothing was deleted.")
        return LEFT
    after = inventory.delete_resources(run)
    print(inventory.tabulate(after))
    print(inventory.summarise(run, after))
    gone = (inventory.GONE, inventory.OTHER)
    return DONE if all(o.status in gone or o.kind == inventory.JOB for o in after) else LEFT


def _choose(lost: inventory.Lost, name: str, owner: str, where: str) -> Run:
    unseen = ", ".join(f"{one.kind} ({one.hint})" for one in lost.unseen)
    unseen = f" Not known: {unseen}." if unseen else ""
    unmarked = [str(one) for one in lost.found if not one.tags]
    if unmarked:
        print("Left alone, for their tags tell of no run: " + "; ".join(unmarked), file=sys.stderr)
    if not owner and len(lost.runs) > 1:
        raise SettingsError(
            f'Several runs called "{name}" have made something in {where}: owner ids '
            f"{', '.join(lost.runs)}. Say whose is to be deleted: --owner ID.{unseen}"
        )
    found = lost.runs.get(owner) if owner else next(iter(lost.runs.values()), None)
    if found is None:
        raise NotFoundError(
            f'Nothing in {where} carries the name "{name}" and '
            f"{f'owner id {owner}' if owner else 'an owner id'}.{unseen} Check --run, --region and "
            "--owner."
        )
    return found


def _ask() -> bool:
    if not sys.stdin.isatty():
        raise SettingsError("Nobody is there to be asked. Add --yes to delete what is listed.")
    return input("Delete all of this run? [y/N] ").strip().lower() in ("y", "yes")
