"""A time limit for throughput: AWS CLI commands with which AWS itself deletes it.

A computer that is off deletes nothing; EventBridge Scheduler, in the AWS account, does.
Sources: EventBridge Scheduler User Guide, "Using universal targets" and "Schedule types";
EventBridge Scheduler API, CreateSchedule. The commands were not tried against AWS.
"""

import json
import shlex
from datetime import UTC, datetime, timedelta

from haikuft.errors import SettingsError
from haikuft.iam.policies import build_policy, partition
from haikuft.runs.record_file import RunRecord
from haikuft.serving.served import Served


def set_limit(served: Served, max_hours: float) -> str:
    """Return when what serves is to be deleted, ISO 8601 in UTC; "" for no limit.

    A deployment needs none: it bills nothing while it is idle.

    Raises:
        SettingsError: `max_hours` is below zero.
    """
    if not max_hours >= 0:  # written so that nan is refused too
        raise SettingsError(f"max_hours = {max_hours}: take hours above 0, or 0 for no limit.")
    if max_hours == 0 or served.kind == "deployment":
        return ""
    return (served.created.astimezone(UTC) + timedelta(hours=max_hours)).isoformat(
        timespec="seconds"
    )


def build_limit_commands(record: RunRecord) -> str:
    """Write the AWS CLI commands that have AWS delete the run's throughput at its limit.

    They make a role that may delete this throughput and nothing else, and a schedule that runs
    once and then deletes itself. "" where the run has no throughput or no limit.
    """
    if not (record.throughput_ends and record.throughput_arn):
        return ""
    name = f"haikuft-end-{record.throughput_arn.rpartition('/')[2]}"
    role_arn = f"arn:{partition(record.region)}:iam::{record.account_id}:role/{name}"
    trust = build_policy("TrustScheduler", account_id=record.account_id)
    policy = build_policy("EndThroughput", throughput=record.throughput_arn)
    target = {
        "Arn": f"arn:{partition(record.region)}:scheduler:::aws-sdk:bedrock:"
        "deleteProvisionedModelThroughput",
        "RoleArn": role_arn,
        "Input": json.dumps({"ProvisionedModelId": record.throughput_arn}),
    }
    at = datetime.fromisoformat(record.throughput_ends).strftime("%Y-%m-%dT%H:%M:%S")
    commands = (
        f"iam create-role --role-name {name} --assume-role-policy-document",
        f"iam put-role-policy --role-name {name} --policy-name end-throughput --policy-document",
        f"scheduler create-schedule --name {name} --region {record.region} "
        f"--schedule-expression 'at({at})' --schedule-expression-timezone UTC "
        "--flexible-time-window Mode=OFF --action-after-completion DELETE --target",
    )
    documents = (trust, policy, target)
    return "\n".join(
        f"aws {command} {shlex.quote(json.dumps(document))}"
        for command, document in zip(commands, documents, strict=True)
    )
