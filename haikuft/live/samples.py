"""A few validation records that both models are asked, and what tuning did to each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from haikuft.dataset import read_records
from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.html import build_block
from haikuft.inference.asking import identify_model
from haikuft.inference.budget import Budget
from haikuft.inference.many import ask_many
from haikuft.inference.replies import Reply, file_name
from haikuft.pricing import check_charges, estimate_requests, read_token_prices
from haikuft.runs.run_record import Run
from haikuft.serving import price_tokens
from haikuft.tables import Table, build_table

MOST = 10  # records that are asked
_WANTED = ("fixed", "got better")  # outcomes to begin with, the best first


class Answered(NamedTuple):
    """The replies of both models to one record, and its outcome, such as "fixed"."""

    base: Reply
    tuned: Reply
    outcome: str


@dataclass(frozen=True, slots=True, repr=False)
class Samples:
    """Validation records, and the replies to the first of them. A cell's last line shows one.

    Attributes:
        kind: "validation", or "test" where the base model takes no validation records.
        records: All records of that kind.
        answers: Record's id -> both replies.
    """

    kind: str
    records: list[Record]
    answers: Mapping[str, Answered]

    @property
    def chosen(self) -> Record:
        """The first record that tuning fixed, else that it made better, else the first of all."""
        for wanted in _WANTED:
            for record in self.records:
                if self.outcome_of(record) == wanted:
                    return record
        return self.records[0]

    def outcome_of(self, record: Record) -> str:
        """Return what tuning did to a record; "" where it was not asked."""
        found = self.answers.get(record_id(record))
        return found.outcome if found else ""

    @property
    def sentence(self) -> str:
        """Say how the shown record was chosen, and how many had which outcome."""
        asked, outcome = len(self.answers), self.outcome_of(self.chosen)
        if not asked:
            return f"No {self.kind} record was asked; this is the first."
        how = f"the first that tuning {outcome.removeprefix('got ')}"
        if outcome not in _WANTED:
            how = f"the first, because tuning fixed none of them ({outcome})"
        outcomes = [answer.outcome for answer in self.answers.values()]
        counts = ", ".join(f"{outcomes.count(one)} {one}" for one in dict.fromkeys(outcomes))
        return f"Chosen from {asked} {self.kind} records: {how}. In all: {counts}."

    @property
    def table(self) -> Table:
        """The chosen record: its prompt, its own answer, and both replies."""
        answer = self.answers.get(record_id(self.chosen))
        replies = [("base", answer.base.text), ("tuned", answer.tuned.text)] if answer else []
        prompt = prompt_of(self.chosen)[1][-1]["content"]
        return build_table([("prompt", prompt), ("reference", reference_of(self.chosen)), *replies])

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.table!r}"

    def _repr_html_(self) -> str:
        return build_block(f"<p><b>{self.sentence}</b></p>{self.table._repr_html_()}")


def ask_samples(
    run: Run,
    models: Mapping[str, str],
    *,
    max_records: int = MOST,
    max_dollars: float = 0.0,
    allow_charges: bool = False,
) -> Samples:
    """Ask both models the first validation records, and name what tuning did to each.

    The replies are kept in the run's folder, and no reply is asked for twice. The price is printed
    first.

    Args:
        run: Whose records and models.
        models: "base" and "tuned" -> what is asked.
        max_records: How many, 0 to `MOST`.
        max_dollars: Most US dollars to spend; 0 for no limit.
        allow_charges: Whether it may ask where that costs money.

    Raises:
        ChargesRefusedError: it would cost money and that was not allowed.
        HaikuftError: the models cannot be asked.
    """
    from haikuft.evaluation import choose_scorers, recognise_task, suggest_max_tokens
    from haikuft.evaluation.report.errors_table import name_outcome

    kind = "validation" if (run.data / "validation.jsonl").exists() else "test"
    records = read_records(run.data / f"{kind}.jsonl")
    known = [*read_records(run.data / "train.jsonl"), *records]
    asked = records[: min(max_records, MOST)]
    if not asked:
        return Samples(kind, records, {})
    prices = read_token_prices([], models, {"tuned": price_tokens(run.record)})
    doing = f"asking {' and '.join(models)} {len(asked)} {kind} records each"
    estimate = str(estimate_requests(asked, prices))
    check_charges(run.connection.bills, allow_charges, doing=doing, estimate=estimate)
    bedrock, budget = run.connection.client("bedrock"), Budget(max_dollars)
    runtime = run.connection.client("bedrock-runtime", patience_seconds=0)
    base, tuned = (
        ask_many(
            runtime,
            models[name],
            asked,
            path=run.replies / file_name(f"samples-{name}"),
            answered_by=identify_model(bedrock, models[name]),
            price=prices[name],
            budget=budget,
            max_tokens=suggest_max_tokens(known),
            progress=False,
        )
        for name in ("base", "tuned")
    )
    scorer = choose_scorers([], run.record.task or recognise_task(known), known)[0]

    def judge(record: Record) -> Answered:
        before, after = base[record_id(record)], tuned[record_id(record)]
        outcome = name_outcome(scorer(record, before.text), scorer(record, after.text), scorer)
        return Answered(before, after, outcome)

    both = [r for r in asked if record_id(r) in base and record_id(r) in tuned]
    return Samples(kind, records, {record_id(r): judge(r) for r in both})
