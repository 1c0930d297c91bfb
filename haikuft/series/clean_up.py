"""Clean up after a run whose record is lost: list what carries its tags, ask, delete."""

import sys

from haikuft import inventory
from haikuft.customization.readings import FINAL
from haikuft.inventory.lost import search_account
from haikuft.inventory.resources import GONE, OTHER, Resource
from haikuft.runs.folders import record_path
from haikuft.runs.lookup import JOB
from haikuft.series.ending import describe_found

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
        confirmed: True deletes without asking what carries this owner id, which is then needed.

    """
    found, unknown = search_account(
        target, name, record_path(name).parent, region=region, base_model_id=base_model_id
    )
    chosen = [(run, mine) for run, mine in found if owner in ("", run.record.owner)]
    for run, mine in chosen:
        print(f'Run "{name}", owner id {run.record.owner}, Region {run.record.region}:')
        print(inventory.tabulate(mine))
    owners = {run.record.owner for run, _ in chosen}
    if len(owners) > 1:
        print("Several runs have this name. Say whose is to be deleted: --owner ID.")
    elif owners and ((confirmed and owner) or _ask()):
        chosen = [(run, inventory.delete_resources(run)) for run, _ in chosen]
        print("Read back after the deletion:")
        for _, after in chosen:
            print(inventory.tabulate(after))
    else:
        print("Nothing was deleted.")
    left = [(run, [one for one in mine if _is_left(one)]) for run, mine in chosen]
    command = f"haikuft clean-up --run {name} --target {target} --yes"
    print("\n".join(describe_found(left, unknown, command)))
    return LEFT if unknown or any(mine for _, mine in left) else DONE


def _is_left(resource: Resource) -> bool:
    """Tell whether it is still there; the entry of a job that has ended stays for good."""
    if resource.kind == JOB and resource.status in FINAL:
        return False
    return resource.status not in (GONE, OTHER)


def _ask() -> bool:
    if not sys.stdin.isatty():
        print("There is no terminal to ask on: give --owner and --yes to delete what is listed.")
        return False
    return input("Delete all of this run? [y/N] ").strip().lower() in ("y", "yes")
