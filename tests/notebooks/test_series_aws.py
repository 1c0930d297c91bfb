"""The practitioner's path: target="aws", AWS_ENDPOINT_URL naming a sandbox. Order matters."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from haikuft import aws

RUN = "paid"
ASK = ("--run", RUN, "--target", "aws")
SOON = ("-p", "poll_seconds", "0.1")  # the pause on AWS is a minute
Holdings = Callable[[], dict[str, list[str]]]


@pytest.fixture(scope="module", autouse=True)
def _on_aws(project):
    """Dummy credentials, and every service's endpoint the sandbox's, asserted before any call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", project.endpoint.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        connection = aws.connect("aws", region="us-west-2")
        for service in ("bedrock", "bedrock-runtime", "iam", "kms", "s3", "service-quotas", "sts"):
            url = connection.client(service).meta.endpoint_url
            assert urlsplit(url).hostname == "127.0.0.1"
        yield


def test_run_when_charges_are_refused_stops_before_the_job(project, holdings: Holdings, capsys):
    """The first paid call is not made; the last lines say what bills."""
    assert project.run(*ASK) == 1
    told = capsys.readouterr()
    assert "allow_charges = True" in told.err
    assert "--from 3" in told.err
    assert "Billing now" in told.out
    held = holdings()
    assert held["jobs"] == held["throughputs"] == []


def test_run_when_charges_are_refused_at_serving_stops_before_the_throughput(
    project, holdings: Holdings, capsys
):
    """A job that was paid for does not bring a throughput with it."""
    assert project.run(*ASK, "--from", "3", "--to", "4", "-p", "allow_charges", "true", *SOON) == 0
    assert project.run(*ASK, "--from", "5") == 1
    assert "Stopped before creating Provisioned Throughput" in capsys.readouterr().err
    assert holdings()["throughputs"] == []


def test_run_when_a_commitment_is_asked_needs_its_own_permission(
    project, holdings: Holdings, capsys
):
    """allow_charges alone buys no term that cannot be ended."""
    asked = ("-p", "commitment", "1 month", "-p", "allow_charges", "true")
    assert project.run(*ASK, "--from", "5", "--to", "5", *asked) == 1
    assert "allow_commitment = True" in capsys.readouterr().err
    assert holdings()["throughputs"] == []


def test_run_when_charges_are_allowed_runs_through_and_ends_what_bills_by_the_hour(
    project, holdings: Holdings, capsys
):
    """The throughput goes after notebook 6; the model and the bucket stay, and are said to bill."""
    price = ("-p", "throughput_price", "60.5", "-p", "price_date", "2026-08-02")
    status = project.run(*ASK, "--from", "5", "-p", "allow_charges", "true", *SOON, *price)
    told = capsys.readouterr().out
    assert status == 0
    held = holdings()
    assert held["throughputs"] == []
    assert len(held["models"]) == len(held["buckets"]) == len(held["roles"]) == 1
    assert "Billing now" in told
    assert "custom model" in told
    assert f"clean-up --run {RUN}" in told


def test_run_when_told_to_keep_serving_leaves_it_and_says_the_price(
    project, holdings: Holdings, capsys
):
    """What bills, how much an hour, and the one command that ends it."""
    asked = ("-p", "allow_charges", "true", "-p", "throughput_price", "60.5", *SOON)
    assert project.run(*ASK, "--from", "5", "--to", "5", "--keep-serving", *asked) == 0
    assert len(holdings()["throughputs"]) == 1
    assert "60.50" in capsys.readouterr().out


def test_clean_up_on_aws_when_asked_for_leaves_nothing(project, holdings: Holdings, capsys):
    """The command that the last lines named ends all of it."""
    from haikuft import cli

    assert cli.main(["clean-up", "--run", RUN]) == 0
    held = holdings()
    held.pop("jobs")
    assert held == {name: [] for name in held}
    assert "Billing now: nothing" in capsys.readouterr().out
