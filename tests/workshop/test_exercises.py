"""The exercises: not yet solved after a run with default parameters, and solved by its answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from haikuft import customization, dataset, evaluation, iam, inference, inventory, metrics, sandbox
from haikuft import hyperparameters as settings
from haikuft.aws.waiting import Waiting
from haikuft.customization.jobs import wait_for_job
from haikuft.errors import JobFailedError, SettingsError
from haikuft.iam.roles import POLICY_NAME
from haikuft.live.playground import Playground
from haikuft.runs.run_record import Run, save
from haikuft.serving import (
    ensure_served,
    estimate_costs,
    name_served,
    plan_serving,
    set_limit,
    wait_for_served,
)
from haikuft.workshop import exercises

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOON = Waiting(poll_seconds=0.02, deadline_seconds=30)
BRIEF = evaluation.Scorer("brief", "replies of 300 characters or fewer", lambda _, text: True)
POLITE = evaluation.Scorer("polite", "replies that thank", lambda _, text: "thank" in text)


def write_records(run: Run, name: str, count: int) -> list[Any]:
    """Write so many short records into a file of the run's data, and read them."""
    turns = [("user", f"{name}, number {{}}"), ("assistant", "even")]
    lines = [
        json.dumps({"messages": [{"role": r, "content": t.format(n)} for r, t in turns]})
        for n in range(count)
    ]
    (run.data / f"{name}.jsonl").write_text("\n".join([*lines, ""]))
    return dataset.read_records(run.data / f"{name}.jsonl")


def evaluate(run: Run, records: list[Any], scorer: evaluation.Scorer) -> None:
    """Do what notebook 6 does with these records and one scorer beside the task's."""
    runtime = run.connection.client("bedrock-runtime", patience_seconds=0)
    models = {"base": run.base_model.inference_id, "tuned": run.record.served_arn}
    replies = {
        name: inference.ask_many(
            runtime, model, records, path=run.replies / f"{name}.jsonl", progress=False
        )
        for name, model in models.items()
    }
    comparison = evaluation.compare(
        records, replies, task="labels", labels=["even", "odd"], extra_scorers=[scorer]
    )
    evaluation.write_evaluation(run.directory, comparison)


def train(run: Run, **values: float) -> str:
    """Start a new job of the run and give its ARN."""
    bedrock = run.connection.client("bedrock")
    chosen = settings.build_hyperparameters(run.base_model, **{"epoch_count": 1, **values})
    chosen = settings.to_aws(chosen, run.base_model)
    plan = customization.plan_job(bedrock, run, chosen, new_job=True)
    return customization.start_job(bedrock, plan.request)


@pytest.fixture
def run(tuned_run: Callable[..., Run]) -> Run:
    """Give a run after notebook 6, each with its default parameters, on a few short records."""
    run = tuned_run()
    bedrock, s3 = run.connection.client("bedrock"), run.connection.client("s3")
    job = customization.get_job(bedrock, run.record.job_arn)
    files = metrics.find_metrics(s3, job.output_uri, job.arn)
    for uri in (files.training_uri, files.validation_uri):
        metrics.download_metrics(s3, uri, run.metrics)
    write_records(run, "train", 32)
    records = write_records(run, "test", 24)
    plan = plan_serving(bedrock, run, estimate_costs(run, records)["provisioned_throughput"])
    served = {**plan.changes, **name_served(ensure_served(bedrock, plan))}
    run = save(run, **served, seed=1, task="labels", training_records=32)
    evaluate(run, records, BRIEF)
    return run


def solve(run: Run) -> tuple[Run, dict[str, Any]]:
    """Do every exercise as the teacher's guide says, and give the run and the answers."""
    bedrock, endpoint = run.connection.client("bedrock"), run.connection.endpoint
    names = {"region": run.record.region, "account_id": run.record.account_id}
    policy = iam.build_role_policy(run.record.bucket, **names)
    lacking = [one for one in policy["Statement"] if one["Sid"] != "ReadData"]
    for statements in (lacking, policy["Statement"]):
        run.connection.client("iam").put_role_policy(
            RoleName=run.record.role_name,
            PolicyName=POLICY_NAME,
            PolicyDocument=json.dumps({**policy, "Statement": statements}),
        )
        if statements is lacking:
            with pytest.raises(JobFailedError):
                wait_for_job(bedrock, train(run), SOON)
    wait_for_job(bedrock, train(run, learning_rate_multiplier=2.0), SOON)
    sandbox.configure(endpoint, stick_stage="training")
    customization.stop_job(bedrock, train(run))
    sandbox.configure(endpoint, stick_stage="")

    lines = (run.data / "train.jsonl").read_text().splitlines()
    (run.data / "broken.jsonl").write_text("\n".join([lines[0][:-1], *lines[1:], ""]))
    write_records(run, "mine", 3)
    models = {"base": run.base_model.inference_id, "tuned": run.record.served_arn}
    playground = Playground(run, models)
    playground.ask("A question of my own", system="Answer in one word.")
    playground.ask("A question of my own", system="")
    served = wait_for_served(bedrock, run.record.throughput_arn, SOON)
    run = save(run, seed=2, throughput_ends=set_limit(served, 1.0))
    records = dataset.read_records(run.data / "test.jsonl")[:20]
    evaluate(run, records, POLITE)
    table = (run.directory / "evaluation.csv").read_text().splitlines()
    answers = {
        "1.1": "s3:GetObject",
        "1.2": "aws:SourceAccount",
        "3.3": 10
        * dataset.estimate_total_tokens(dataset.read_records(run.data / "train.jsonl")).likely,
        "4.1": [0.03, 2],
        "4.2": 2,
        "4.3": 1,
        "6.3": table[1].partition(",")[0],
        "7.1": run.record.throughput_name,
        "7.2": True,
        "7.3": run.record.job_name,
    }
    inventory.delete_resources(run)
    return run, answers


def test_exercises_when_the_run_has_defaults_then_none_is_solved_and_hints_come_in_two_steps(
    run: Run,
) -> None:
    """The first call gives the first hint, each later call the second."""
    for number, exercise in exercises.EXERCISES.items():
        said = [exercises.check(number, run).rows for _ in range(3)]
        first, second = exercise["hints"]
        assert said == [((number, "not yet", hint),) for hint in (first, second, second)]


def test_exercises_when_done_as_the_guide_says_then_each_is_right_and_stays_so(run: Run) -> None:
    """An answer that was given once need not be given again."""
    solved, answers = solve(run)
    for number in exercises.EXERCISES:
        assert exercises.check(number, solved, answers.get(number)).rows[0][1] == "✓ right", number
        assert exercises.check(number, solved).rows[0][1] == "✓ right", number
    kept = json.loads((solved.directory / "answers.json").read_text())
    assert {number: answer for number, (answer, _) in kept.items() if answer} == answers


def test_exercises_when_an_answer_is_not_given_then_not_yet_without_reading_anything() -> None:
    """A headless run, which answers none, need not wait for AWS or for tables."""
    nothing: Any = None
    asked = [number for number, one in exercises.EXERCISES.items() if "`answer" in one["text"]]
    assert not [number for number in asked if exercises.is_solved(number, nothing)]


@pytest.mark.parametrize("answer", ["many", -1, [1], 0.5, {}])
def test_exercises_when_an_answer_is_wrong_or_of_another_type_then_not_yet(
    run: Run, answer: object
) -> None:
    """No answer ends in a traceback."""
    asked = [number for number, one in exercises.EXERCISES.items() if "`answer" in one["text"]]
    assert not [number for number in asked if exercises.is_solved(number, run, answer)]


def test_exercise_when_the_answer_is_a_number_of_numpy_or_no_json_then_is_kept(run: Run) -> None:
    """A learner may compute an answer with pandas, or give something odd."""
    assert exercises.check("4.2", run, np.int64(2)).rows[0][1] == "✓ right"
    assert exercises.check("4.2", run).rows[0][1] == "✓ right"
    assert exercises.check("4.3", run, {1, 2}).rows[0][1] == "not yet"


def test_exercise_when_the_run_is_empty_then_not_yet(new_run: Callable[..., Run]) -> None:
    """A cell that is run before the others says what is missing."""
    run = new_run()
    assert not [number for number in exercises.EXERCISES if exercises.is_solved(number, run)]


def test_exercise_when_its_number_is_unknown_then_says_which_there_are(
    new_run: Callable[..., Run],
) -> None:
    """A typing error is no traceback."""
    with pytest.raises(SettingsError, match=r"4\.9.*4\.1"):
        exercises.check("4.9", new_run())


def test_notebooks_when_read_then_each_ends_with_its_exercises_and_their_cells() -> None:
    """The texts in a notebook are those of exercises.toml."""
    assert len(exercises.EXERCISES) >= 20
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        number = str(int(path.name[:2]))
        own = {key: one for key, one in exercises.EXERCISES.items() if key[0] == number}
        cells = nbformat.read(path, 4).cells[-len(own) - 1 :]
        rows = [f"| {key} | {one['text']} |" for key, one in own.items()]
        assert cells[0].source.startswith("## Exercises")
        assert cells[0].source.splitlines()[-len(own) :] == rows
        for key, cell in zip(own, cells[1:], strict=True):
            asks = ", answer=None" if "`answer" in own[key]["text"] else ""
            assert cell.source.splitlines()[-1] == f'exercises.check("{key}", walk{asks})'
