"""Clean up after a run whose record is lost: list what carries its tags, ask, delete."""

import shlex
import sys

from haikuft import aws, inventory
from haikuft.customization import FINAL
from haikuft.errors import SettingsError
from haikuft.inventory import Resource
from haikuft.ownership import OWNER_TAG
from haikuft.run_record import Run, record_path
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
    left: list[Resource] = []
    commands = []
    for base_model, place in inventory.search_places(region, base_model_id):
        connection = aws.connect(target, region=place)
        lost = inventory.find_lost(connection, base_model, name, record_path(name).parent)
        print(f"Searched by name and tags: account …{connection.account_id[-4:]}, Region {place}.")
        for one in lost.found:
            if OWNER_TAG not in one.tags:
                print(f"Left alone: {one}")
        if not owner and len(lost.runs) > 1:
            raise SettingsError(
                f'Several runs called "{name}" have made something: owner ids '
                f"{', '.join(lost.runs)}. Say whose is to be deleted: --owner ID."
            )
        left += lost.unseen
        for found, run in lost.runs.items():
            if owner in ("", found):
                left += _delete(run, confirmed)
                words = ["clean-up", "--run", name, "--target", target, "--region", place]
                commands.append(shlex.join(["haikuft", *words, "--owner", found, "--yes"]))
    print("\n".join(describe_billing(left, *commands)))
    return LEFT if left else DONE


def _delete(run: Run, confirmed: bool) -> list[Resource]:
    """List a run's resources, ask, delete them, and return what is left."""
    resources = inventory.list_resources(run)
    print(f'Run "{run.record.run}", owner id {run.record.owner}:\n{inventory.tabulate(resources)}')
    if confirmed or _ask():
        resources = inventory.delete_resources(run)
        print(f"Read back after the deletion:\n{inventory.tabulate(resources)}")
    gone = (inventory.GONE, inventory.OTHER)
    return [one for one in resources if one.status not in gone and not _is_entry(one)]


def _is_entry(resource: Resource) -> bool:
    """Tell whether this is the entry of a job that has ended, which AWS keeps."""
    return resource.kind == inventory.JOB and resource.status in FINAL


def _ask() -> bool:
    if not sys.stdin.isatty():
        raise SettingsError("Nobody is there to be asked. Add --yes to delete what is listed.")
    return input("Delete all of this run? [y/N] ").strip().lower() in ("y", "yes")
