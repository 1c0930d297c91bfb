"""Clean up after a run whose record is lost: list what carries its tags, ask, delete."""

import shlex
import sys

from haikuft import aws, inventory
from haikuft.base_models import BaseModel
from haikuft.errors import SettingsError
from haikuft.ownership import OWNER_TAG
from haikuft.run_record import record_path
from haikuft.series.ending import describe_billing

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
        base_model_id: what was tuned; "" for any model, in each of their Regions.
        owner: whose, where several runs of that name are found.
        confirmed: True deletes without asking.

    Raises:
        SettingsError: several owners, or nobody is there to be asked.
    """
    places = inventory.search_places(region, base_model_id)
    return max(_clean_up(name, target, place, model, owner, confirmed) for model, place in places)


def _clean_up(
    name: str, target: str, region: str, base_model: BaseModel, owner: str, confirmed: bool
) -> int:
    connection = aws.connect(target, region=region)
    lost = inventory.find_lost(connection, base_model, name, record_path(name).parent)
    for one in lost.found:
        if OWNER_TAG not in one.tags:
            print(f"Left alone: {one}")
    if not owner and len(lost.runs) > 1:
        raise SettingsError(
            f'Several runs called "{name}" have made something: owner ids {", ".join(lost.runs)}. '
            "Say whose is to be deleted: --owner ID."
        )
    owner = owner or next(iter(lost.runs), "")
    words = ["haikuft", "clean-up", "--run", name, "--target", target, "--region", region, "--yes"]
    command = shlex.join(words)
    if owner not in lost.runs:
        where = f"account …{connection.account_id[-4:]}, Region {connection.region}"
        print(f'Nothing in {where} carries the name "{name}" and {owner or "an"} owner id.')
        print("\n".join(describe_billing(lost.unseen, command)))
        return LEFT if lost.unseen else DONE
    run = lost.runs[owner]
    resources = inventory.list_resources(run)
    print(f'Run "{name}", owner id {owner}:\n{inventory.tabulate(resources)}')
    if confirmed or _ask():
        resources = inventory.delete_resources(run)
        print(f"Read back after the deletion:\n{inventory.tabulate(resources)}")
    print("\n".join(describe_billing(resources, f"{command} --owner {owner}")))
    gone = (inventory.GONE, inventory.OTHER)
    left = [one for one in resources if one.status not in gone and one.kind != inventory.JOB]
    return LEFT if left else DONE


def _ask() -> bool:
    if not sys.stdin.isatty():
        raise SettingsError("Nobody is there to be asked. Add --yes to delete what is listed.")
    return input("Delete all of this run? [y/N] ").strip().lower() in ("y", "yes")
