"""A few records that both models are asked, and the first of them that tuning fixed."""

from dataclasses import dataclass

from haikuft.dataset.problems import count
from haikuft.dataset.records import Record, record_id
from haikuft.errors import SettingsError
from haikuft.html import build_block, escape
from haikuft.live.history import Exchange
from haikuft.live.playground import Playground
from haikuft.pricing import estimate_requests, read_token_prices, show_range
from haikuft.serving import price_tokens

MOST = 10  # records that are asked
_WANTED = ("fixed", "got better")  # outcomes to begin with, the best first


@dataclass(frozen=True, slots=True, repr=False)
class Samples:
    """The record to begin with. A cell's last line shows it.

    Attributes:
        record: The first record that tuning fixed, else that it made better, else the first of all.
        sentence: How it was chosen, and how many records had which outcome.
        exchange: Both models' replies to it; None where nothing was asked.
    """

    record: Record
    sentence: str
    exchange: Exchange | None

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *([repr(self.exchange)] if self.exchange else [])])

    def _repr_html_(self) -> str:
        replies = self.exchange._repr_html_() if self.exchange else ""
        return build_block(f"<p><b>{escape(self.sentence)}</b></p>{replies}")


def ask_samples(
    playground: Playground, *, max_records: int = MOST, max_dollars: float = 0.0
) -> Samples:
    """Ask "base" and "tuned" the playground's first records, and choose one to begin with.

    The price is printed first. The replies are in the playground's history, and what stands there
    already is not asked again.

    Args:
        playground: Its models and records.
        max_records: How many, 0 to `MOST`.
        max_dollars: Most US dollars to spend; 0 for no limit.

    Raises:
        SettingsError: the price could pass the limit, or is not known.
        ChargesRefusedError: it would cost money and that was not allowed.
    """
    records = playground.records[: min(max_records, MOST)]
    missing = [one for one in records if record_id(one) not in playground.outcomes]
    if missing:
        run = playground.run
        prices = read_token_prices([], playground.models, {"tuned": price_tokens(run.record)})
        estimate = estimate_requests(missing, prices)
        if max_dollars and not (estimate.high is not None and estimate.high <= max_dollars):
            raise SettingsError(
                f"max_dollars = {max_dollars}: {count(len(missing), 'record')} could cost more. "
                f"{estimate} Lower sample_records, or raise the limit."
            )
        asked, cost = count(len(missing), "record"), "at a price that is not known"
        if estimate.likely is not None:
            cost = "for about {1}, at most {2}".format(*show_range(estimate))
        print(f"Asking both models {asked} {cost}; the sandbox bills nothing.")
        for record in missing:
            playground.ask(record=record)
    outcomes = playground.outcomes
    of_these = [outcomes.get(record_id(record), "not answered") for record in records]
    if not records:
        return Samples(playground.records[0], "No record was asked; this is the first.", None)
    best = next((one for one in _WANTED if one in of_these), of_these[0])
    record = records[of_these.index(best)]
    how = f"the first that tuning {best.removeprefix('got ')}"
    if best not in _WANTED:
        how = f"the first, because tuning fixed none ({best})"
    counts = ", ".join(f"{of_these.count(one)} {one}" for one in dict.fromkeys(of_these))
    sentence = f"Chosen from {count(len(records), 'record')}: {how}. In all: {counts}."
    return Samples(record, sentence, playground.find(record))
