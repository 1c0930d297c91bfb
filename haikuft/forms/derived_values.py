"""Values derived from a form's values, such as steps and costs. Pure."""

from collections.abc import Mapping
from typing import Any

from haikuft import pricing
from haikuft.base_models import BaseModel, get_base_model
from haikuft.dataset.formats import EXCEL, PARQUET, title_of
from haikuft.dataset.problems import count
from haikuft.dataset.read.examples import detect_format, read_examples
from haikuft.dataset.read.sources import find_dataset, list_files
from haikuft.dataset.splitting import FITTING, USUAL_SHARE
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import HaikuftError
from haikuft.forms.rendering import WARNING, Derived
from haikuft.hyperparameters import count_steps
from haikuft.pricing.estimates import estimate_throughput
from haikuft.pricing.table import PRICING_PAGE
from haikuft.runs.folders import find_root
from haikuft.runs.record_file import RunRecord

MOST_BYTES = 4 * 2**20  # larger files are not counted while a slider moves
FEW = 20  # records; with fewer, only a huge difference is significant

NO_PRICE = f"unknown until you write the price, from {PRICING_PAGE}"
FREE = ("Cost in the sandbox", "nothing")
NO_TIME = (
    "not known beforehand: seconds to minutes in the sandbox; on AWS hours, most of them in a queue"
)


def derive_target(values: Mapping[str, Any], record: RunRecord | None = None) -> Derived:
    """Derive the Region, and whether the base model can be tuned there.

    Args:
        values: The form's.
        record: The run's, where it has been begun: it says what is left open.
    """
    recorded = (record.base_model_id, record.region) if record else ("", "")
    model = get_base_model(values["base_model_id"] or recorded[0])
    region = values["region"] or recorded[1] or model.region
    own = ", the base model's own" if region == model.region else ""
    derived = [("Base model", model.name), ("Region", f"{region}{own}")]
    if values["region"] and values["region"] not in model.regions:
        where = ", ".join(model.regions)
        derived.append((WARNING, f"{model.name} is tuned in {where}, not in {values['region']}"))
    bills = "AWS sends a bill" if values["target"] == "aws" else "nothing is billed"
    return [*derived, ("Money", bills)]


def derive_split(values: Mapping[str, Any], records: int | None) -> Derived:
    """Derive the sizes of the split; shares alone where the records are not counted."""
    fits = values["validation_share"] == FITTING
    validation = USUAL_SHARE if fits else values["validation_share"]
    shares = {"validation": validation, "test": values["test_share"]}
    left = 1 - sum(shares.values())
    derived = [("Left for training", f"{left:.0%}")]
    if left <= 0:
        return [*derived, (WARNING, "validation and test take everything; lower one of them")]
    if records is None:
        return derived
    held = {name: round(records * share) for name, share in shares.items()}
    sizes = {"training": records - sum(held.values()), **held}
    words = ", ".join(f"{size:,} {name}" for name, size in sizes.items())
    words += "; the validation part is adjusted where the base model has a limit" if fits else ""
    return [*derived, (f"Of {count(records, 'record')}, about", words)]


def count_examples(name: str, format_name: str) -> tuple[Derived, int | None]:
    """Find a data set and count its examples.

    Returns:
        What there is to show, and the number of examples; None where they are not counted.
    """
    try:
        raw = find_dataset(name, root=find_root()).raw
        seen = detect_format(raw)
        found = format_name or seen
        derived: Derived = [("Format", f"{title_of(seen)}, recognised in {raw.name}")]
        if found != seen:
            derived.append((WARNING, f"it is read as {title_of(found)}, as you ask"))
        size = sum(file.stat().st_size for file in list_files(raw))
        if size > MOST_BYTES or seen in (PARQUET, EXCEL):
            return [*derived, ("Records", "counted when they are read")], None
        return derived, sum(1 for _ in read_examples(raw, seen))
    except HaikuftError as error:
        return [(WARNING, str(error))], None


def derive_training(
    base_model: BaseModel,
    chosen: Mapping[str, Any],
    *,
    records: int,
    tokens: TokenRange | None = None,
    price: float = 0.0,
    price_date: str = "",
) -> Derived:
    """Derive steps, tokens, cost and time of a training with these hyperparameters."""
    epochs = int(chosen["epoch_count"])
    derived = _derive_steps(base_model, records, epochs, chosen)
    if tokens is not None:
        low, likely, high = (f"{epochs * n:,}" for n in (tokens.low, tokens.likely, tokens.high))
        derived.append(("Tokens trained, at most", f"about {likely} (between {low} and {high})"))
        estimate = pricing.estimate_training(tokens, epochs, price, as_of=price_date)
        derived += [("Cost on AWS", str(estimate) if price else NO_PRICE), FREE]
    return [*derived, ("Time", NO_TIME)]


def derive_serving(values: Mapping[str, Any], price: float, price_date: str) -> Derived:
    """Derive what serving costs: a deployment its tokens, throughput its hours and its term."""
    if values["serving"] == "deployment":
        cost = "the tokens of each request; nothing while idle"
        return [("Cost on AWS", cost), FREE]
    units, commitment = int(values["model_units"]), values["commitment"]
    estimate = estimate_throughput(units, price, commitment, as_of=price_date)
    derived = [("Cost of throughput on AWS", str(estimate) if price else NO_PRICE), FREE]
    if commitment != "none":
        words = "a commitment cannot be ended before its term, and renews by itself"
        derived.append((WARNING, words))
    return derived


def derive_comparison(values: Mapping[str, Any]) -> Derived:
    """Derive which models are compared, and by which scorers."""
    models = ["base", "tuned", *values["further_model_ids"]]
    pairs = len(models) * (len(models) - 1) // 2
    scorers = ", ".join(values["scorers"]) or "all of the task's"
    derived: Derived = [("Models", f"{', '.join(models)} ({count(pairs, 'pair')} to compare)")]
    derived.append(("Scorers, the deciding one first", scorers))
    if 0 < values["max_records"] < FEW:
        words = f"{values['max_records']} records are too few to distinguish most models"
        derived.append((WARNING, words))
    return derived


def _derive_steps(
    base_model: BaseModel, records: int, epochs: int, chosen: Mapping[str, Any]
) -> Derived:
    if "batch_size" not in chosen:
        return [
            ("Records seen in all", f"{records * epochs:,}"),
            ("Batch size", "chosen by the service"),
        ]
    steps = count_steps(records, int(chosen["batch_size"]))
    whole = "Steps in all, unless it stops early" if base_model.stops_early else "Steps in all"
    derived = [("Steps per epoch", f"{steps:,}"), (whole, f"{steps * epochs:,}")]
    if chosen["batch_size"] > records:
        derived.append((WARNING, f"the batch is larger than the data ({count(records, 'record')})"))
    return derived
