"""Clean up by tags, after a run whose record is lost or after a class; show where a class is."""

import sys

from haikuft import inventory
from haikuft.customization.readings import FINAL
from haikuft.inventory.lost import search_account
from haikuft.inventory.resources import GONE, OTHER, Resource
from haikuft.runs.lookup import JOB
from haikuft.runs.run_record import Run
from haikuft.series.ending import describe_found
from haikuft.tables import build_table

DONE, LEFT = 0, 1  # exit statuses


def clean_up_lost(
    name: str,
    *,
    target: str,
    region: str = "",
    base_model_id: str = "",
    owner: str = "",
    class_id: str = "",
    confirmed: bool = False,
) -> int:
    """Delete what carries a run's name and owner id, and return 0, or 1 where something is left.

    Args:
        name: the run's name; "" for all runs of a class.
        target: "sandbox" or "aws".
        region: where to look; "" for the base model's own Region.
        base_model_id: what was tuned; "" for any model, in each of their Regions.
        owner: whose, where several runs of that name are found.
        class_id: delete what carries this class id instead, once it has been typed.
        confirmed: True deletes without asking what carries this owner id, which is then needed.

    """
    where = {"region": region, "base_model_id": base_model_id, "class_id": class_id}
    found, unknown = search_account(target, name, **where)
    chosen = [(run, mine) for run, mine in found if owner in ("", run.record.owner)]
    for run, mine in chosen:
        print(f'Run "{run.record.run}", owner id {run.record.owner}, {_place(run)}:')
        print(inventory.tabulate(mine))
    owners = {run.record.owner for run, _ in chosen}
    if len(owners) > 1 and not class_id:
        print("Several runs have this name. Say whose is to be deleted: --owner ID.")
    elif owners and ((confirmed and owner) or _ask(class_id)):
        chosen = [(run, inventory.delete_resources(run)) for run, _ in chosen]
        print("Read back after the deletion:")
        for _, after in chosen:
            print(inventory.tabulate(after))
    else:
        print("Nothing was deleted.")
    left = [(run, [one for one in mine if _is_left(one)]) for run, mine in chosen]
    what, sure = (f"--class {class_id}", "") if class_id else (f"--run {name}", " --yes")
    command = f"haikuft clean-up {what} --target {target}{sure}"
    print("\n".join(describe_found(left, unknown, command)))
    return LEFT if unknown or any(mine for _, mine in left) else DONE


def show_class(class_id: str, *, target: str, region: str = "") -> None:
    """Print where each run of a class stands, what bills, and since when.

    Args:
        class_id: the value of the tag `haikuft:class`.
        target: "sandbox" or "aws".
        region: where to look; "" for each Region in which a base model can be tuned.
    """
    found, unknown = search_account(target, "", region=region, class_id=class_id)
    rows = []
    for run, mine in sorted(found, key=lambda one: (one[0].record.run, _place(one[0]))):
        last = max(mine, key=lambda one: str(one.since or ""))  # that of a role is not asked
        bills = [f"{one.kind} since {_tell(one)}" for one in mine if one.bills or one.would_bill]
        made = f"{last.kind}, {last.status}", _tell(last)
        rows.append((run.record.run, run.record.owner, _place(run), *made, "; ".join(bills)))
    heading = "bills" if target == "aws" else "would bill on AWS"
    print(build_table(rows, "run", "owner id", "where", "last made", "at (UTC)", heading))
    command = f"haikuft clean-up --class {class_id} --target {target}"
    print("\n".join(describe_found(found, unknown, command)))


def _place(run: Run) -> str:
    return f"account {run.record.account_id}, {run.record.region}"


def _tell(resource: Resource) -> str:
    return f"{resource.since:%Y-%m-%d %H:%M}" if resource.since else "not known"


def _is_left(resource: Resource) -> bool:
    """Tell whether it is still there; the entry of a job that has ended stays for good."""
    if resource.kind == JOB and resource.status in FINAL:
        return False
    return resource.status not in (GONE, OTHER)


def _ask(class_id: str) -> bool:
    """Ask for a yes or, before a class is deleted, for its id, which a pipe may answer, too."""
    if class_id:
        print("Type the class id to delete all of this:", flush=True)
        return sys.stdin.readline().strip() == class_id
    if not sys.stdin.isatty():
        print("There is no terminal to ask on: give --owner and --yes to delete what is listed.")
        return False
    return input("Delete all of this run? [y/N] ").strip().lower() in ("y", "yes")
