"""Exercises of the series that check themselves, from what a learner has left in the run.

Texts and hints are in `exercises.toml`; the answers are in `notebooks/workshop/TEACHING.md` only.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from haikuft import dataset, metrics
from haikuft.customization.jobs import get_job
from haikuft.errors import HaikuftError, SettingsError
from haikuft.evaluation.report.files import CSV_FILE, read_evaluation
from haikuft.evaluation.scorers.scorer import scorers_for
from haikuft.files import write_whole
from haikuft.hyperparameters import WORKED_EXAMPLE, count_steps, decide_early_stop
from haikuft.iam import policies
from haikuft.inventory.resources import GONE, list_resources
from haikuft.live.history import Exchange, read_exchanges
from haikuft.metrics.files import read_metrics
from haikuft.package_data import read_toml
from haikuft.runs.lookup import JOB, THROUGHPUT, find_own, recorded_in
from haikuft.runs.run_record import Run
from haikuft.tables import Table, build_table

EXERCISES = read_toml(__package__, "exercises.toml")  # number -> text, and two hints


def check(number: str, run: Run, answer: object = None) -> Table:
    """Say whether an exercise is solved: "right", or "not yet" and a hint.

    The first call gives the first hint, later ones the second. Answer and number of calls are kept
    in the run's folder.

    Args:
        number: of the exercise, such as "4.1".
        run: the run in which it was done.
        answer: where the exercise asks for one, a number, a text or a list; None takes the one
            that was given before.

    Raises:
        SettingsError: there is no such exercise.
    """
    if number not in EXERCISES:
        raise SettingsError(f'There is no exercise "{number}". There are {", ".join(EXERCISES)}.')
    path = run.directory / "answers.json"  # number -> [answer, how often it was checked]
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before, asked = kept.get(number, (None, 0))
    given = before if answer is None else answer
    write_whole(path, json.dumps(kept | {number: [given, asked + 1]}, default=_to_json))
    if is_solved(number, run, given):
        return build_table([(number, "✓ right", "")])
    return build_table([(number, "not yet", EXERCISES[number]["hints"][min(asked, 1)])])


def _to_json(value: Any) -> Any:
    """Convert a number of NumPy; what else JSON does not know is an answer to no exercise."""
    return value.item() if hasattr(value, "item") else repr(value)


def is_solved(number: str, run: Run, answer: object = None) -> bool:
    """Check one exercise; what is missing, or an answer of another type, is not solved."""
    if answer is None and "`answer" in EXERCISES[number]["text"]:
        return False  # and nothing need be read, of AWS or of files
    try:
        return bool(_CHECKS[number](run, answer))
    except (HaikuftError, OSError, TypeError, ValueError):
        return False


def _list_jobs(run: Run) -> list[Any]:
    bedrock = run.connection.client("bedrock")
    return [get_job(bedrock, one.arn) for one in find_own(run, JOB)]


def _read_part(run: Run, name: str) -> list[Any]:
    return list(dataset.read_records(run.data / f"{name}.jsonl"))


def _has_broken_file(run: Run, _: Any) -> bool:
    report = dataset.validate_file(run.data / "broken.jsonl", run.base_model, kind="test")
    return bool(report.errors == 1 and report.records > 1)


def _names_reading_action(run: Run, answer: Any) -> bool:
    policy = policies.build_role_policy(run.record.bucket, region=run.record.region, account_id="")
    return any(answer in one["Action"] for one in policy["Statement"] if one["Sid"] == "ReadData")


def _names_trust_condition(run: Run, answer: Any) -> bool:
    policy = policies.build_trust_policy(run.record.account_id, run.record.region)
    return any(answer in keys for keys in policy["Statement"][0]["Condition"].values())


def _has_own_records(run: Run, _: Any) -> bool:
    own, known = (set(map(dataset.record_id, _read_part(run, name))) for name in ("mine", "train"))
    return len(own) >= 3 and not own & known


def _has_highest_rate(run: Run, _: Any) -> bool:
    ranges = run.base_model.hyperparameters
    rate = ranges.get("learning_rate_multiplier") or ranges["learning_rate"]
    used = [one.hyperparameters for one in _list_jobs(run) if one.status == "Completed"]
    return any(float(one[rate.aws_name]) == rate.maximum for one in used)


def _counts_tokens(run: Run, answer: Any) -> bool:
    tokens = 10 * dataset.estimate_total_tokens(_read_part(run, "train")).likely
    return bool(abs(answer - tokens) <= 0.01 * tokens)


def _stops_after_epoch_6(_: Run, answer: Any) -> bool:
    rule = dict(zip(("threshold", "patience"), answer, strict=True))
    stop = decide_early_stop(WORKED_EXAMPLE, **rule)
    return stop.stopped_epoch == 6


def _names_best_epoch(run: Run, answer: Any) -> bool:
    names = ("step_wise_training_metrics", "validation_metrics")
    tables = [read_metrics((run.metrics / f"{name}.csv").read_text("utf-8")) for name in names]
    losses = metrics.map_validation_losses(metrics.align_epochs(*tables))
    return bool(answer == min(losses, key=losses.__getitem__))


def _list_asked(run: Run) -> list[Exchange]:
    return read_exchanges(run.directory / "playground.jsonl")


def _has_two_system_prompts(run: Run, _: Any) -> bool:
    asked = {(one.prompt, one.system) for one in _list_asked(run)}
    return len(asked) > len({prompt for prompt, _ in asked})


def _has_own_scorer(run: Run, _: Any) -> bool:
    evaluation = read_evaluation(run.directory)
    known = {"brief", *(one.name for one in scorers_for(evaluation["task"]))}
    return any(row["metric"] not in known for row in evaluation["scores"])


def _names_wrong_record(run: Run, answer: Any) -> bool:
    table = pd.read_csv(run.directory / CSV_FILE, dtype=str).set_index("record_id")
    return answer in table.index[table["tuned outcome"].isin(["got worse", "still wrong"])]


def _has_deleted(run: Run, answer: Any) -> bool:
    left = [one for one in list_resources(run) if one.kind != JOB and one.status != GONE]
    return answer is True and not left


_CHECKS: Mapping[str, Callable[[Run, Any], bool]] = {
    "1.1": _names_reading_action,
    "1.2": _names_trust_condition,
    "1.3": lambda run, _: any("GetObject" in str(one.failure_message) for one in _list_jobs(run)),
    "2.1": _has_broken_file,
    "2.2": _has_own_records,
    "2.3": lambda run, _: run.record.seed > 1,
    "3.1": _has_highest_rate,
    "3.2": lambda run, _: any(one.status == "Stopped" for one in _list_jobs(run)),
    "3.3": _counts_tokens,
    "4.1": _stops_after_epoch_6,
    "4.2": lambda run, answer: answer == 2 * count_steps(run.record.training_records, 64),
    "4.3": _names_best_epoch,
    "5.1": lambda run, _: any(not one.record_id for one in _list_asked(run)),
    "5.2": _has_two_system_prompts,
    "5.3": lambda run, _: run.record.throughput_ends != "",
    "6.1": _has_own_scorer,
    "6.2": lambda run, _: read_evaluation(run.directory)["n"] == 20,
    "6.3": _names_wrong_record,
    "7.1": lambda run, answer: answer and answer in recorded_in(run, THROUGHPUT),
    "7.2": _has_deleted,
    "7.3": lambda run, answer: answer in [one.name for one in _list_jobs(run)],
}
