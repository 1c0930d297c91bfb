"""Notebooks 3 and 5 as a person walks them in JupyterLab: forms, a job that moves, a playground.

Comes first by its name: the run has no job yet, so the one started here is the run's.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from haikuft.aws import connect

WalkedTo = Callable[[int], Any]
PRICED = "training_price: float = 0.002"


@pytest.fixture
def expect() -> Any:
    """Give Playwright's assertions, which wait until they hold."""
    expect = pytest.importorskip("playwright.sync_api").expect
    expect.set_options(timeout=20_000)
    return expect


def test_fine_tune_when_walked_then_sliders_move_costs_and_the_job_moves_through_its_stages(
    lab: Any, walked_to: WalkedTo, expect: Any
) -> None:
    """A slider changes steps and cost, a bad value is refused in words, the job ends Completed."""
    project = walked_to(2)
    lab.open("03_fine_tune")
    lab.write("training_price: float = 0.0", PRICED)
    form = lab.run_to("form = forms.hyperparameter_form(")
    derived = form.locator(".haikuft-derived:visible").first

    expect(derived).to_contain_text("US$")
    before = derived.inner_text()
    lab.shoot("03-form-light")
    slider = form.get_by_role("slider").first  # of the first hyperparameter, epochs
    slider.press("ArrowRight")
    expect(derived).not_to_have_text(before, use_inner_text=True)
    after = derived.inner_text()
    for what in ("Steps in all", "Cost"):
        moved = [re.findall(rf"^.*{what}.*$", text, re.M) for text in (before, after)]
        assert moved[0] != moved[1], what
    lab.wear("Dark")
    lab.shoot("03-form-dark")
    lab.wear("Light")

    batch = form.get_by_role("spinbutton", name=re.compile("^Batch size"))
    good = batch.input_value()
    batch.fill("100000")
    batch.press("Tab")
    refusal = form.locator(".haikuft-refusal:visible").first
    expect(refusal).to_contain_text("batch_size")
    assert "100000" in refusal.inner_text().replace(",", "")
    lab.shoot("03-refusal")
    batch.fill(good)
    batch.press("Tab")
    expect(form.locator(".haikuft-refusal:visible")).to_have_count(0)

    lab.run_on(
        "settings = hyperparameters.build_hyperparameters(", "walk = run_record.save(walk, job"
    )
    stale = form.locator(".haikuft-stale:visible")
    expect(stale).to_have_count(0)
    slider.press("ArrowRight")
    expect(stale).to_contain_text("epoch_count. Run the cells below again.")
    lab.shoot("03-stale")
    slider.press("ArrowLeft")
    expect(stale).to_have_count(0)
    watch = lab.run_cell("live.watch_job(", wait=False)
    expect(watch.get_by_role("button", name="Stop the job …")).to_be_visible()
    expect(watch).to_contain_text("InProgress")
    lab.shoot("03-job-moving")
    lab.settle()
    expect(watch).to_contain_text("Completed")
    expect(watch.get_by_role("button", name="Stop the job …")).to_have_count(0)
    expect(watch.locator("svg circle")).not_to_have_count(0)  # validation losses
    lab.shoot("03-job-done")
    lab.run_on("stage.started", "custom_model_arn=job.custom_model_arn")
    assert project.record.custom_model_arn
    lab.save()


def test_provision_when_walked_then_the_playground_answers_and_the_button_ends_what_bills(
    lab: Any, walked_to: WalkedTo, expect: Any
) -> None:
    """Both models answer one prompt; the button asks once, then nothing serves any more."""
    project = walked_to(4)
    lab.open("05_provision")
    lab.run_to("samples = live.ask_samples(")
    lab.shoot("05-samples")

    def count_asked() -> int:
        return (project.directory / "playground.jsonl").read_text("utf-8").count("\n")

    asked = count_asked()
    assert asked == 10
    ground = lab.run_on("question = prompt", "# Choose a record, or write")
    options = ground.get_by_label("Record", exact=True).locator("option")
    # ipywidgets writes the blanks of an option as no-break spaces.
    outcome = re.compile(r"\d+:\s(fixed|got\sworse|still\swrong|right\sin\sboth)\s·\s")
    expect(options.nth(asked)).to_have_text(outcome)
    assert not outcome.match(options.nth(asked + 1).text_content() or "")

    ground.get_by_label("Prompt", exact=True).fill("My card was charged twice.")
    ground.get_by_role("button", name="Ask all models").click()
    lab.wait_until(lambda: count_asked() == asked + 1)
    expect(ground.get_by_role("button", name="Ask all models")).to_be_enabled()
    expect(ground).to_contain_text("first text")
    lab.shoot("05-playground")

    costs = lab.cell("live.RunningCosts(walk)")
    lab.shoot("05-costs")
    costs.get_by_role("button", name=re.compile("^End ")).click()
    assert len(list_throughputs(project)) == 1  # it only asked
    costs.get_by_role("button", name="Yes, delete it").click()
    expect(costs).to_contain_text("has ended.")
    lab.shoot("05-ended")
    assert list_throughputs(project) == []


def list_throughputs(project: Any) -> list[Any]:
    """Ask the sandbox what serves."""
    record = project.record
    bedrock = connect(target="sandbox", region=record.region).client("bedrock")
    found = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    return list(found)
