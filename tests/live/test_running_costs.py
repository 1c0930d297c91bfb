"""What bills, since when and how much; and the button that ends it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes import SOON

from haikuft import customization, live
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.models import find_custom_model
from haikuft.inventory.resources import OBJECTS, ROLE, UNKNOWN, Resource
from haikuft.live.running_costs import Costs
from haikuft.runs.lookup import JOB, MODEL, THROUGHPUT
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import find_served, start_serving

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=90)
SERVING = Resource(THROUGHPUT, "serve", "arn:pt", "InService", "by the hour", 40.0, since=SINCE)
UNPRICED = Resource(THROUGHPUT, "other", "arn:o", "InService", "by the hour", since=SINCE)
STORED = Resource(MODEL, "m", "arn:m", "Active", "storage", 0.002, since=SINCE)
FREE = Resource(ROLE, "r", "arn:r", "exists")
WOULD = Resource(THROUGHPUT, "serve", "arn:pt", "InService", since=SINCE, would_bill="by the hour")


def costs(*resources: Resource, bills: bool = True) -> Costs:
    """Say what these cost at noon."""
    return Costs("first", bills, resources, NOW)


def test_costs_when_the_price_is_known_then_they_follow_from_the_clock() -> None:
    """An hour and a half at forty dollars."""
    shown = costs(SERVING, FREE)

    assert shown.so_far(SERVING) == 60
    assert [one.name for one in shown.billing] == ["serve"]
    assert shown.table.rows[0][2:] == ("2026-11-20 10:30 UTC", "by the hour", "about US$60.00")
    assert "so far about US$60.00. Cost: US$40.00 an hour" in shown.sentence


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ([], "Nothing bills."),
        ([FREE], "Nothing bills."),
        ([UNPRICED], "Billing now: price not given. Cost: not known"),
        (
            [SERVING, UNPRICED],
            "for what has a known price. Cost: not known, because",
        ),
        ([Resource(MODEL, "x", "a", UNKNOWN)], "Not known: custom model; something"),
    ],
)
def test_costs_when_something_is_missing_then_the_sentence_says_so(
    resources: list[Resource], words: str
) -> None:
    """No price is guessed, and the unseen is never called free."""
    said = costs(*resources)
    assert words in said.sentence
    assert words in str(said)
    assert ("Nothing bills" in said.sentence) == (resources in ([], [FREE]))


def test_costs_when_the_target_bills_nothing_then_it_says_so_and_what_would_bill() -> None:
    """The sandbox is honest both ways."""
    shown = costs(WOULD, bills=False)

    assert shown.sentence == "Nothing bills: the sandbox is free. On AWS this would:"
    assert shown.table.rows[0][3:] == ("by the hour", "nothing")
    assert "either" in costs(FREE, bills=False).sentence


def test_costs_when_ended_by_a_button_then_no_data_and_no_model_goes() -> None:
    """Only what serves and what trains can be ended here."""
    job = Resource(JOB, "j", "arn:j", "InProgress", "tokens")
    kept = Resource(OBJECTS, "b", "arn:b", "1", "cents")

    assert [one.name for one in costs(SERVING, job, STORED, kept).endable] == ["serve", "j"]


def test_banner_when_nobody_sits_there_then_it_is_text_and_html_alone(
    new_run: Callable[..., Run],
) -> None:
    """An executed notebook keeps what it said."""
    banner = live.RunningCosts(new_run())

    assert list(banner._repr_mimebundle_()) == ["text/plain", "text/html"]
    assert "Nothing bills: the sandbox is free" in repr(banner)
    assert (banner.box, banner.endings) == (None, {})


def test_banner_when_a_job_trains_then_its_button_asks_stops_it_and_the_banner_moves_on(
    new_run: Callable[..., Run], start_job: Callable[..., tuple[Run, str]]
) -> None:
    """The same machinery as on AWS, where it would bill."""
    run, arn = start_job(new_run(stick_stage="training"))
    bedrock: Any = run.connection.client("bedrock")
    banner = live.RunningCosts(run, interactive=True)
    ending = banner.endings[arn]

    assert ending.button.description == "Stop customization job haikuft-first-1 …"
    ending.button.click()
    assert "leaves no model" in ending.message.value
    assert customization.get_job(bedrock, arn).status == "InProgress"
    ending.yes.click()

    assert customization.get_job(bedrock, arn).status == "Stopped"
    assert banner.endings == {}
    assert "customization job haikuft-first-1 has ended." in banner.message.value


def test_banner_when_a_throughput_is_ended_then_the_model_stays(
    new_run: Callable[..., Run], start_job: Callable[..., tuple[Run, str]]
) -> None:
    """It can be served again."""
    run, arn = start_job(new_run())
    bedrock: Any = run.connection.client("bedrock")
    job = wait_for_job(bedrock, arn, SOON)
    assert job.custom_model_arn is not None
    served = start_serving(
        bedrock,
        "provisioned_throughput",
        "haikuft-first",
        model_arn=job.custom_model_arn,
        tags=run.tags,
    )
    banner = live.RunningCosts(run, interactive=True)
    before = banner._repr_mimebundle_()["text/plain"]
    banner.endings[served].button.click()
    banner.endings[served].yes.click()

    assert "1 model unit by the hour until it is deleted" in before
    assert find_served(bedrock, served) is None
    assert find_custom_model(bedrock, job.custom_model_arn) is not None
    assert "haikuft-first " not in repr(banner)


def test_banner_when_asked_to_look_again_then_it_asks_aws_again(
    new_run: Callable[..., Run], start_job: Callable[..., tuple[Run, str]]
) -> None:
    """What another kernel ended goes from it."""
    run, arn = start_job(new_run(stick_stage="training"))
    banner = live.RunningCosts(run, interactive=True)
    customization.stop_job(run.connection.client("bedrock"), arn)
    with pytest.raises(Exception, match="was stopped"):
        wait_for_job(run.connection.client("bedrock"), arn, SOON)

    banner.button.click()

    assert banner.endings == {}
    assert banner.button.description == "Look again"
