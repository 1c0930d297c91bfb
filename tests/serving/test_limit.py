"""The limit of forgotten throughput, and the commands with which AWS keeps it."""

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from haikuft.errors import SettingsError
from haikuft.runs.record_file import RunRecord
from haikuft.serving import build_limit_commands, set_limit
from haikuft.serving.served import Served

CREATED = datetime(2026, 11, 28, 22, 30, tzinfo=UTC)
ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
RECORD = RunRecord(
    run="first",
    target="aws",
    account_id="123456789012",
    region="us-west-2",
    throughput_arn=ARN,
    throughput_ends="2026-11-29T06:30:00+00:00",
)


def served(kind: Any = "provisioned_throughput") -> Served:
    """Make what serves."""
    return Served(kind, ARN, "n", "InService", "", CREATED)


def test_set_limit_when_hours_are_given_then_counts_from_its_creation() -> None:
    """In UTC; none for no limit, and none for what bills nothing while idle."""
    assert set_limit(served(), 8) == "2026-11-29T06:30:00+00:00"
    assert set_limit(served(), 0) == ""
    assert set_limit(served("deployment"), 8) == ""
    for hours in (-1.0, float("nan")):
        with pytest.raises(SettingsError, match="max_hours"):
            set_limit(served(), hours)


def test_limit_commands_when_pasted_then_each_is_one_that_aws_takes() -> None:
    """A role for this throughput alone, and a schedule whose parameters are AWS's own."""
    create, put, schedule = map(shlex.split, build_limit_commands(RECORD).splitlines())
    assert create[:3] == ["aws", "iam", "create-role"]
    trust = json.loads(create[-1])["Statement"][0]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    (statement,) = json.loads(put[-1])["Statement"]
    assert statement["Action"] == ["bedrock:DeleteProvisionedModelThroughput"]
    assert statement["Resource"] == [ARN]
    assert schedule[:3] == ["aws", "scheduler", "create-schedule"]
    options = dict(zip(schedule[3::2], schedule[4::2], strict=True))
    target = json.loads(options["--target"])
    request = {
        "Name": options["--name"],
        "ScheduleExpression": options["--schedule-expression"],
        "ScheduleExpressionTimezone": options["--schedule-expression-timezone"],
        "FlexibleTimeWindow": dict([options["--flexible-time-window"].split("=")]),
        "ActionAfterCompletion": options["--action-after-completion"],
        "Target": target,
    }
    model = botocore.session.get_session().get_service_model("scheduler")
    shape = model.operation_model("CreateSchedule").input_shape
    assert not ParamValidator().validate(request, shape).has_errors()
    assert options["--schedule-expression"] == "at(2026-11-29T06:30:00)"
    assert json.loads(target["Input"]) == {"ProvisionedModelId": ARN}
    assert target["RoleArn"].endswith(f":role/{create[create.index('--role-name') + 1]}")
    assert len(options["--name"]) <= 64


@pytest.mark.parametrize("missing", ["throughput_arn", "throughput_ends"])
def test_limit_commands_when_nothing_is_to_end_then_are_none(missing: str) -> None:
    """No throughput, or no limit."""
    assert build_limit_commands(replace(RECORD, **{missing: ""})) == ""
