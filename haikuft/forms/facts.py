"""What follows from a form's values: pure functions from values to (what, how much)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from haikuft import pricing
from haikuft.base_models import BaseModel, get_base_model
from haikuft.dataset.formats import EXCEL, PARQUET, title_of
from haikuft.dataset.problems import count
from haikuft.dataset.read.examples import detect_format, read_examples
from haikuft.dataset.read.sources import find_dataset
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import HaikuftError
from haikuft.forms.rendering import WARNING, Facts
from haikuft.hyperparameters import count_steps

MOST_BYTES = 4 * 2**20  # larger files are not counted while somebody moves a slider
FEW = 20  # records; below, only a huge difference would show

NO_TIME = (
    "not known beforehand: seconds to minutes in the sandbox; on AWS hours, most of them in a queue"
)


def tell_place(values: Mapping[str, Any]) -> Facts:
    """Say which Region is meant, and whether the base model can be tuned there."""
    model = get_base_model(values["base_model_id"])
    named = values["base_model_id"] or values["region"]
    region = values["region"] or f"{model.region}, the base model's own"
    facts = [("Region", region if named else "what the run's record says, else the base model's")]
    if values["region"] and values["region"] not in model.regions:
        where = ", ".join(model.regions)
        facts.append((WARNING, f"{model.name} is tuned in {where}, not in {values['region']}"))
    bills = "AWS sends a bill" if values["target"] == "aws" else "nothing is billed"
    return [*facts, ("Money", bills)]


def tell_split(values: Mapping[str, Any], records: int | None) -> Facts:
    """Say how many records go where; shares alone where they are not counted."""
    shares = {"validation": values["validation_share"], "test": values["test_share"]}
    left = 1 - sum(shares.values())
    facts = [("Left for training", f"{left:.0%}")]
    if left <= 0:
        return [*facts, (WARNING, "validation and test take everything; lower one of them")]
    if records is None:
        return facts
    held = {name: round(records * share) for name, share in shares.items()}
    sizes = {"training": records - sum(held.values()), **held}
    words = ", ".join(f"{size:,} {name}" for name, size in sizes.items())
    return [*facts, (f"Of {count(records, 'record')}, about", words)]


def build_counter(root: Callable[[], Path]) -> Callable[[str, str], tuple[Facts, int | None]]:
    """Make a function that looks a data set up and counts its records, each data set once.

    Args:
        root: Finds the project's folder, when it is needed.
    """
    known: dict[tuple[str, str], tuple[Facts, int | None]] = {}

    def look(name: str, format_name: str) -> tuple[Facts, int | None]:
        if (name, format_name) not in known:
            known[name, format_name] = _look_at(name, format_name, root)
        return known[name, format_name]

    return look


def tell_training(
    base_model: BaseModel,
    chosen: Mapping[str, Any],
    *,
    records: int,
    tokens: TokenRange | None = None,
    price: float = 0.0,
    price_date: str = "",
) -> Facts:
    """Say how many steps and tokens these hyperparameters mean, at what cost, in which time."""
    epochs = int(chosen["epoch_count"])
    facts = _tell_steps(base_model, records, epochs, chosen)
    if tokens is not None:
        estimate = pricing.estimate_training(tokens, epochs, price, as_of=price_date)
        low, likely, high = (f"{epochs * n:,}" for n in (tokens.low, tokens.likely, tokens.high))
        facts.append(("Tokens trained, at most", f"about {likely} (between {low} and {high})"))
        cost = "unknown without training_price (US$ per 1,000 tokens); nothing in the sandbox"
        if estimate.likely is not None:
            low, likely, high = pricing.show_range(estimate)
            dated = f"price as of {price_date}" if price_date else "a price without a date"
            cost = f"about {likely} on AWS (between {low} and {high}; {dated}); nothing in the "
            cost += "sandbox"
        facts.append(("Cost", cost))
    return [*facts, ("Time", NO_TIME)]


def tell_serving(values: Mapping[str, Any], *, price: float = 0.0, price_date: str = "") -> Facts:
    """Say what serving costs: a deployment its tokens, throughput its hours and its term."""
    if values["serving"] == "deployment":
        cost = "the tokens of each request; nothing while nobody asks"
        return [("Cost on AWS", cost), ("Cost in the sandbox", "nothing")]
    units = int(values["model_units"])
    bill = pricing.estimate_throughput(units, price, values["commitment"], as_of=price_date)
    facts: Facts = [("Cost of throughput on AWS", str(bill)), ("Cost in the sandbox", "nothing")]
    if values["commitment"] != "none":
        words = "a commitment cannot be ended before its term, and renews by itself"
        facts.append((WARNING, words))
    return facts


def tell_comparison(values: Mapping[str, Any]) -> Facts:
    """Say which models are compared, and by what."""
    models = ["base", "tuned", *values["further_model_ids"]]
    pairs = len(models) * (len(models) - 1) // 2
    scorers = ", ".join(values["scorers"]) or "all of the task's"
    facts: Facts = [("Models", f"{', '.join(models)} ({count(pairs, 'pair')} to compare)")]
    facts.append(("Scorers, the deciding one first", scorers))
    if 0 < values["max_records"] < FEW:
        words = f"{values['max_records']} records hardly ever tell two models apart"
        facts.append((WARNING, words))
    return facts


def _tell_steps(
    base_model: BaseModel, records: int, epochs: int, chosen: Mapping[str, Any]
) -> Facts:
    if "batch_size" not in chosen:
        return [
            ("Records seen in all", f"{records * epochs:,}"),
            ("Batch size", "chosen by the service"),
        ]
    steps = count_steps(records, int(chosen["batch_size"]))
    whole = "Steps in all, unless it stops early" if base_model.stops_early else "Steps in all"
    facts = [("Steps per epoch", f"{steps:,}"), (whole, f"{steps * epochs:,}")]
    if chosen["batch_size"] > records:
        facts.append((WARNING, f"the batch is larger than the data ({count(records, 'record')})"))
    return facts


def _look_at(name: str, format_name: str, root: Callable[[], Path]) -> tuple[Facts, int | None]:
    try:
        raw = find_dataset(name, root=root()).raw
        seen = detect_format(raw)
        found = format_name or seen
        facts: Facts = [("Format", f"{title_of(seen)}, recognised in {raw.name}")]
        if found != seen:
            facts.append((WARNING, f"it is read as {title_of(found)} all the same, as you ask"))
        if raw.stat().st_size > MOST_BYTES or seen in (PARQUET, EXCEL):
            return [*facts, ("Records", "counted when they are read")], None
        return facts, sum(1 for _ in read_examples(raw, seen))
    except HaikuftError as error:
        return [(WARNING, str(error))], None
