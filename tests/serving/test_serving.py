"""One way to serve a custom model and to end it, whichever way its base model allows."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fakes import SOON

from haikuft import serving
from haikuft.aws.waiting import Waiting
from haikuft.base_models import (
    BASE_MODELS,
    CLAUDE_3_HAIKU,
    NOVA_2_LITE,
    NOVA_LITE,
    NOVA_MICRO,
    BaseModel,
)
from haikuft.dataset.tokens import estimate_tokens
from haikuft.errors import NotFoundError, SettingsError
from haikuft.pricing.amounts import format_dollars
from haikuft.runs.prerequisites import require
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import find_served, stop_serving
from haikuft.serving.plan import ServingPlan
from haikuft.serving.served import kind_of

RECORDS = [
    {
        "messages": [
            {"role": "user", "content": "x" * 3500},
            {"role": "assistant", "content": "y" * 350},
        ]
    }
] * 4
ASKED, REPLIED = (estimate_tokens(turn["content"]).likely for turn in RECORDS[0]["messages"])
NewRun = Callable[..., Run]


def serve(run: Run, choice: str = "") -> Run:
    """Do what notebook 5 does."""
    bedrock = run.connection.client("bedrock")
    cost = serving.estimate_costs(run, RECORDS)[serving.choose_serving(run.base_model, choice)]
    plan = serving.plan_serving(bedrock, run, cost)
    run = replace(run, record=replace(run.record, **plan.changes))
    arn = serving.ensure_served(bedrock, plan)
    serving.wait_for_served(bedrock, arn, SOON)
    return replace(run, record=replace(run.record, **serving.name_served(arn)))


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_choose_serving_when_nothing_is_said_then_takes_the_first_that_the_model_allows(
    model: BaseModel,
) -> None:
    """And each that it allows by its name."""
    assert serving.choose_serving(model) == model.serving[0]
    assert [serving.choose_serving(model, one) for one in model.serving] == list(model.serving)


@pytest.mark.parametrize(
    ("choice", "words"),
    [("deployment", 'otherwise. Take "provisioned_throughput"'), ("endpoint", 'take "prov')],
)
def test_choose_serving_when_it_cannot_be_then_says_what_can(choice: str, words: str) -> None:
    """AWS deploys no custom model of Claude 3 Haiku."""
    with pytest.raises(SettingsError, match=words):
        serving.choose_serving(CLAUDE_3_HAIKU, choice)


@pytest.mark.parametrize(
    ("model", "choice", "kind"),
    [
        (CLAUDE_3_HAIKU, "", "provisioned_throughput"),
        (NOVA_MICRO, "", "deployment"),
        (NOVA_MICRO, "provisioned_throughput", "provisioned_throughput"),
    ],
    ids=["claude", "nova", "nova-throughput"],
)
def test_model_when_served_then_is_found_asked_for_and_ended_the_same_way(
    tuned_run: NewRun, model: BaseModel, choice: str, kind: str
) -> None:
    """The record holds the ARN that is asked; run twice, there is one; the model stays."""
    run = serve(tuned_run(model), choice)
    bedrock, record = run.connection.client("bedrock"), run.record
    assert (record.serving, kind_of(record.served_arn)) == (kind, kind)
    assert require(run, "served model").rows == (("served model", "haikuft-first-012345"),)
    found = find_served(bedrock, record.served_arn)
    assert found is not None
    assert (found.ready, found.commitment, found.arn) == (True, "none", record.served_arn)
    assert found.model_arn == record.custom_model_arn
    again = serving.plan_serving(bedrock, run, serving.estimate_costs(run, RECORDS)[found.kind])
    assert again.found == found
    assert serve(run, choice).record == record
    runtime = run.connection.client("bedrock-runtime")
    asked = [{"role": "user", "content": [{"text": "training/train.jsonl 3"}]}]
    reply = runtime.converse(modelId=record.served_arn, messages=asked)
    assert reply["output"]["message"]["role"] == "assistant"
    assert stop_serving(bedrock, record.served_arn, SOON) is True
    assert stop_serving(bedrock, record.served_arn, SOON) is False
    assert find_served(bedrock, record.served_arn) is None
    assert len(bedrock.list_custom_models()["modelSummaries"]) == 1


def test_wait_for_served_when_it_changes_then_each_status_is_shown(tuned_run: NewRun) -> None:
    """In AWS's words."""
    run, shown = serve(tuned_run(NOVA_MICRO)), []
    bedrock = run.connection.client("bedrock")
    serving.wait_for_served(
        bedrock, run.record.served_arn, Waiting(poll_seconds=0, on_change=shown.append)
    )
    assert [one.status for one in shown] == ["Active"]


def test_estimate_costs_when_both_ways_are_allowed_then_they_stand_side_by_side(
    new_run: NewRun,
) -> None:
    """The one cheaper for a trial first; tokens as a range, hours by the day, each dated."""
    costs = serving.estimate_costs(new_run(NOVA_2_LITE), RECORDS)
    assert list(costs) == ["deployment", "provisioned_throughput"]
    thousand = costs["deployment"].thousand
    assert thousand is not None
    assert thousand.likely == pytest.approx(ASKED * 0.0003 + REPLIED * 0.0025)
    assert "Unused it costs nothing" in str(costs["deployment"])
    hours = costs["provisioned_throughput"].hours
    assert hours is not None
    assert hours.hour == 60.5
    table = serving.tabulate_costs(costs)
    assert [row[0] for row in table.rows] == ["deployment", "Provisioned Throughput"]
    assert table.rows[0][2].startswith(f"{format_dollars(thousand.likely)} (US$0.")
    assert [row[3] for row in table.rows] == ["US$0.00", "US$1,452.00"]
    assert all("2026-08-02" in row[1] for row in table.rows)


def test_estimate_costs_when_a_price_is_unknown_then_it_is_asked_for(new_run: NewRun) -> None:
    """Claude 3 Haiku's hours, whose price no source may be quoted for; and six months of any."""
    run = new_run()
    (cost,) = serving.estimate_costs(run, RECORDS).values()
    assert "price we do not know" in str(cost)
    line = "Provisioned Throughput: price unknown; give throughput_price"
    assert serving.tabulate_costs({cost.kind: cost}).rows == ((line,),)
    lite = replace(run, base_model=NOVA_LITE)
    six = serving.estimate_costs(lite, RECORDS, commitment="6 months")["provisioned_throughput"]
    assert six.hours is not None
    assert six.hours.hour is None
    stranger = replace(NOVA_LITE, id="amazon.new-v1:0:1k")
    unknown = replace(run, base_model=stranger, record=RunRecord("first", "sandbox"))
    assert "set token_price" in str(serving.estimate_costs(unknown, RECORDS)["deployment"])


def test_estimate_costs_when_prices_are_given_then_they_stand_and_the_record_keeps_them(
    new_run: NewRun,
) -> None:
    """A later notebook, given none, uses them; so does this one."""
    run = new_run(NOVA_MICRO)
    given = serving.estimate_costs(
        run,
        RECORDS,
        throughput_price=40.0,
        token_price="0.001 0.002",
        price_date="2026-11-20",
    )
    kept = replace(run.record, **given["deployment"].changes)
    again = serving.estimate_costs(replace(run, record=kept), RECORDS)
    for costs in (given, again):
        hours, thousand = costs["provisioned_throughput"].hours, costs["deployment"].thousand
        assert hours is not None
        assert thousand is not None
        assert hours.hour == 40.0
        assert thousand.likely == pytest.approx(ASKED * 0.001 + REPLIED * 0.002)
        assert "2026-11-20" in costs["deployment"].price


def test_estimate_costs_when_a_figure_cannot_be_then_says_which(new_run: NewRun) -> None:
    """Before anything is started."""
    run = new_run(NOVA_MICRO)
    with pytest.raises(SettingsError, match='token_price: "1"'):
        serving.estimate_costs(run, RECORDS, token_price="1")
    with pytest.raises(SettingsError, match=r"throughput.*below zero"):
        serving.estimate_costs(run, RECORDS, throughput_price=-1.0)
    with pytest.raises(SettingsError, match="model_units"):
        serving.estimate_costs(run, RECORDS, model_units=0)


def test_price_tokens_when_served_then_follows_from_how() -> None:
    """Behind throughput tokens cost nothing more; a deployment has its base model's price."""
    throughput = RunRecord("a", "aws", throughput_arn="arn:aws:bedrock:x:1:provisioned-model/a")
    assert serving.price_tokens(throughput).input == 0.0
    deployed = RunRecord(
        "a",
        "aws",
        base_model_id=NOVA_MICRO.id,
        serving="deployment",
        deployment_arn="arn:aws:bedrock:x:1:custom-model-deployment/a",
    )
    assert serving.price_tokens(deployed).input == pytest.approx(0.000035)
    given = replace(deployed, token_price="0.5 0.6", price_date="2026-11-20")
    assert serving.price_tokens(given).output == 0.6
    assert "2026-11-20" in serving.price_tokens(given).source


def test_served_arn_when_the_record_is_from_before_the_choice_then_is_the_throughput_s() -> None:
    """Old records are read as they were meant."""
    assert RunRecord("a", "aws", throughput_arn="arn:t").served_arn == "arn:t"
    both = RunRecord("a", "aws", throughput_arn="arn:t", deployment_arn="arn:d")
    assert replace(both, serving="deployment").served_arn == "arn:d"
    assert replace(both, serving="provisioned_throughput").served_arn == "arn:t"


@pytest.mark.parametrize("model", [CLAUDE_3_HAIKU, NOVA_MICRO], ids=lambda model: model.name)
def test_plan_serving_when_the_answer_or_the_record_was_lost_then_nothing_is_bought_twice(
    tuned_run: NewRun, model: BaseModel
) -> None:
    """Found by the owner id; an unanswered request is repeated; a new one follows what is gone."""
    run = tuned_run(model)
    bedrock = run.connection.client("bedrock")

    def plan(run: Run) -> ServingPlan:
        cost = serving.estimate_costs(run, RECORDS)[serving.choose_serving(model)]
        return serving.plan_serving(bedrock, run, cost)

    first = plan(run)
    unanswered = replace(run, record=replace(run.record, **first.changes))
    assert plan(unanswered).request == first.request
    arns = {serving.ensure_served(bedrock, one) for one in (first, plan(run))}
    assert len(arns) == 1
    (arn,) = arns
    found = plan(run).found
    assert found is not None
    assert found.arn == arn
    answered = replace(unanswered, record=replace(unanswered.record, **serving.name_served(arn)))
    stop_serving(bedrock, arn, SOON)
    later = plan(answered)
    assert later.found is None
    assert later.request["token"] != first.request["token"]
    assert serving.ensure_served(bedrock, later) != arn


def test_wait_for_served_when_aws_took_it_for_a_repeat_then_says_to_run_again(
    tuned_run: NewRun,
) -> None:
    """What the first request had bought was deleted meanwhile."""
    run = tuned_run()
    bedrock = run.connection.client("bedrock")
    cost = serving.estimate_costs(run, RECORDS)["provisioned_throughput"]
    plan = serving.plan_serving(bedrock, run, cost)
    stop_serving(bedrock, serving.ensure_served(bedrock, plan), SOON)
    with pytest.raises(NotFoundError, match="Run this notebook again"):
        serving.wait_for_served(bedrock, serving.ensure_served(bedrock, plan), SOON)
