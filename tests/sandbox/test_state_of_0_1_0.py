"""A state directory that version 0.1.0 wrote opens, and answers as it did then."""

import json
import sqlite3
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STATE = json.loads(Path(__file__).with_name("state_of_0_1_0.json").read_text("utf-8"))
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
SCHEMA = (
    "CREATE TABLE entries "
    "(kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
)


@pytest.fixture
def old(local_sandbox: Callable[..., Any], tmp_path: Path) -> Any:
    """Write the directory as that version left it, and open it."""
    database = sqlite3.connect(tmp_path / "ledger.sqlite")
    database.execute(SCHEMA)
    database.execute(f"PRAGMA user_version = {STATE['format']}")
    for kind, key, value in STATE["entries"]:
        data = b64decode(value["base64"]) if isinstance(value, dict) else value.encode()
        database.execute("INSERT INTO entries VALUES (?, ?, ?)", (kind, key, data))
    database.commit()
    database.close()
    for folder in ("objects", "models"):
        (tmp_path / folder).mkdir()
    for name, text in STATE["objects"].items():
        (tmp_path / "objects" / name).write_text(text, encoding="utf-8")
    for name in STATE["model_directories"]:
        (tmp_path / "models" / name).mkdir()
    return local_sandbox(handlers=None)


def test_bedrock_when_the_state_is_of_0_1_0_then_has_its_resources(old: Any) -> None:
    """The jobs of both kinds, the custom model, its throughput, and the tags."""
    bedrock = old.client("bedrock")
    job = bedrock.get_model_customization_job(jobIdentifier="j")
    assert job["status"] == "Completed"
    assert job["trainingMetrics"]["trainingLoss"] == pytest.approx(0.009906, abs=1e-6)
    assert job["outputModelArn"] == bedrock.get_custom_model(modelIdentifier="m")["modelArn"]
    throughput = bedrock.get_provisioned_model_throughput(provisionedModelId="p")
    assert (throughput["status"], throughput["modelArn"]) == ("InService", job["outputModelArn"])
    (evaluation,) = bedrock.list_evaluation_jobs()["jobSummaries"]
    assert (evaluation["jobName"], evaluation["status"]) == ("e", "Completed")
    tags = bedrock.list_tags_for_resource(resourceARN=job["jobArn"])["tags"]
    assert tags == [{"key": "run", "value": "first"}]


def test_create_when_the_token_was_used_under_0_1_0_then_creates_nothing_new(old: Any) -> None:
    """A request repeated after an upgrade is still the same request."""
    bedrock = old.client("bedrock")
    job = bedrock.get_model_customization_job(jobIdentifier="j")
    again = bedrock.create_model_customization_job(
        jobName="another",
        customModelName="another",
        roleArn=job["roleArn"],
        baseModelIdentifier=HAIKU,
        trainingDataConfig=job["trainingDataConfig"],
        outputDataConfig=job["outputDataConfig"],
        clientRequestToken="t-1",
    )
    assert again["jobArn"] == job["jobArn"]


def test_storage_when_the_state_is_of_0_1_0_then_has_its_bucket_object_and_role(old: Any) -> None:
    """With the bucket's tags, the object's bytes and the role's policy."""
    s3, iam = old.client("s3"), old.client("iam")
    assert s3.get_bucket_tagging(Bucket="data")["TagSet"] == [{"Key": "a", "Value": "b"}]
    prompts = s3.get_object(Bucket="data", Key="p.jsonl")["Body"].read()
    assert json.loads(prompts) == {"prompt": "Where?", "referenceResponse": "delivery"}
    assert iam.list_role_policies(RoleName="r")["PolicyNames"] == ["p"]
