"""Bedrock through the real server and boto3: from uploaded records to a tuned reply."""

import csv
import io
import json
import time

import pytest
from botocore.exceptions import ClientError

from haikuft.sandbox.http.rest_json import SERVICES, load_service
from haikuft.sandbox.jobs.customization_runner import CustomizationRunner
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.operations import Bedrock, open_plane
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.runtime.invocation import Runtime
from haikuft.sandbox.settings import SandboxSettings

ACCOUNT = "123456789012"
BUCKET = "haikuft-bedrock-test"
PLAIN = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU = f"{PLAIN}:200k"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {
                    "aws:SourceArn": f"arn:aws:bedrock:us-west-2:{ACCOUNT}:"
                    "model-customization-job/*"
                },
            },
        }
    ],
}
WORDS = {"red": ("apple", "blood", "rose"), "green": ("grass", "frog", "leaf")}


def build_records(count):
    """Build records whose colour follows from one word of the question."""
    things = [(thing, colour) for colour, words in WORDS.items() for thing in words]
    lines = []
    for n in range(count):
        thing, colour = things[n % len(things)]
        turns = [
            {"role": "user", "content": f"Question {n}: which colour has {thing}?"},
            {"role": "assistant", "content": colour},
        ]
        lines.append(json.dumps({"messages": turns}) + "\n")
    return "".join(lines).encode()


def make_role(clients, name, *, actions=("s3:GetObject", "s3:ListBucket", "s3:PutObject")):
    """Make a role that Bedrock can assume, with these S3 actions on the bucket."""
    iam = clients("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="s3", PolicyDocument=json.dumps(policy))
    return made["Role"]["Arn"]


def start_job(clients, name, role_arn, **changes):
    """Start a job on the uploaded files."""
    request = {
        "jobName": name,
        "customModelName": f"model-of-{name}",
        "roleArn": role_arn,
        "baseModelIdentifier": HAIKU,
        "trainingDataConfig": {"s3Uri": f"s3://{BUCKET}/training/train.jsonl"},
        "validationDataConfig": {
            "validators": [{"s3Uri": f"s3://{BUCKET}/validation/validation.jsonl"}]
        },
        "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/output/"},
        "hyperParameters": {"epochCount": "4", "batchSize": "4"},
        **changes,
    }
    return clients("bedrock").create_model_customization_job(**request)["jobArn"]


def wait_for_job(clients, arn, seconds=60.0):
    """Read the job until it is over; it is another process's work, so this really waits."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = clients("bedrock").get_model_customization_job(jobIdentifier=arn)
        if job["status"] not in ("InProgress", "Stopping"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"the job is still {job['status']} after {seconds} s")


@pytest.fixture(scope="module")
def account(sandbox_clients):
    """Put data in a bucket; (clients, role ARN)."""
    s3 = sandbox_clients("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket=BUCKET, Key="training/train.jsonl", Body=build_records(60))
    s3.put_object(Bucket=BUCKET, Key="validation/validation.jsonl", Body=build_records(36))
    return sandbox_clients, make_role(sandbox_clients, "AmazonBedrock-test")


@pytest.fixture(scope="module")
def tuned(account):
    """Tune and provision a model; (clients, job, throughput ARN)."""
    clients, role_arn = account
    job = wait_for_job(clients, start_job(clients, "walk", role_arn))
    assert job["status"] == "Completed", job.get("failureMessage")
    made = clients("bedrock").create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="walk", modelId=job["outputModelArn"]
    )
    return clients, job, made["provisionedModelArn"]


def ask(clients, model_id, text):
    """Invoke with a Messages body; (reply, headers)."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 20,
        "temperature": 0.0,
        "messages": [{"role": "user", "content": text}],
    }
    answer = clients("bedrock-runtime").invoke_model(modelId=model_id, body=json.dumps(body))
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def read_csv(clients, key):
    """Read a CSV from the bucket as a list of dicts."""
    data = clients("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return list(csv.DictReader(io.StringIO(data)))


def test_every_handler_is_an_operation_of_aws(tmp_path):
    """No handler is misnamed: each name is in botocore's service model."""
    database = Database(tmp_path / "ledger.sqlite")
    plane = open_plane(None, SandboxSettings, tmp_path / "models", database=database)
    runtime = Runtime(plane)
    evaluations = EvaluationRunner(plane, runtime.converse)
    served = {*Bedrock(plane, CustomizationRunner(plane), evaluations, runtime).handlers}
    known = {name for service in SERVICES for name in load_service(service).operation_names}
    assert served <= known


def test_job_leaves_falling_losses_in_s3(tuned):
    """Real columns, steps from 1, epochs from 0, one validation row an epoch."""
    clients, job, _ = tuned
    prefix = f"output/model-customization-job-{job['jobArn'].rpartition('/')[2]}"
    steps = read_csv(clients, f"{prefix}/training_artifacts/step_wise_training_metrics.csv")
    assert list(steps[0]) == ["step_number", "epoch_number", "training_loss"]
    assert [int(row["step_number"]) for row in steps] == list(range(1, len(steps) + 1))
    assert {int(row["epoch_number"]) for row in steps} == {0, 1, 2, 3}
    assert float(steps[-1]["training_loss"]) < float(steps[0]["training_loss"])
    epochs = read_csv(
        clients,
        f"{prefix}/validation_artifacts/post_fine_tuning_validation/validation/"
        "validation_metrics.csv",
    )
    assert [int(row["epoch_number"]) for row in epochs] == [0, 1, 2, 3]
    losses = [float(row["validation_loss"]) for row in epochs]
    assert job["validationMetrics"][0]["validationLoss"] == pytest.approx(min(losses), rel=1e-3)


def test_tuned_model_answers_what_it_learnt_and_base_does_not(tuned):
    """Unseen questions get the trained labels from the tuned model only."""
    clients, _, arn = tuned
    for colour, things in WORDS.items():
        for thing in things:
            reply, headers = ask(clients, arn, f"Question 777: which colour has {thing}?")
            assert reply["content"][0]["text"].strip() == colour
            assert reply["model"] == "sandbox-stand-in/model-of-walk"
            assert int(headers["x-amzn-bedrock-output-token-count"]) >= 1
    reply, _ = ask(clients, PLAIN, "Question 777: which colour has grass?")
    assert reply["model"] == "sandbox-stand-in/base"
    assert reply["content"][0]["text"].strip() not in WORDS


def test_converse_gives_the_same_text_as_invoke(tuned):
    """Both ways to ask go to the same model over the wire."""
    clients, _, arn = tuned
    text = "Question 778: which colour has a frog?"
    answer = clients("bedrock-runtime").converse(
        modelId=arn,
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": 20, "temperature": 0.0},
        additionalModelResponseFieldPaths=["/model"],
    )
    said = answer["output"]["message"]["content"][0]["text"]
    assert said == ask(clients, arn, text)[0]["content"][0]["text"]
    assert answer["additionalModelResponseFields"] == {"model": "sandbox-stand-in/model-of-walk"}


def test_paginators_and_arns_in_paths_work_over_http(tuned):
    """Lists come in pages, and an ARN with its slashes names one thing."""
    clients, job, arn = tuned
    bedrock = clients("bedrock")
    jobs = bedrock.get_paginator("list_model_customization_jobs")
    pages = list(jobs.paginate(PaginationConfig={"PageSize": 1}))
    found = [row["jobArn"] for page in pages for row in page["modelCustomizationJobSummaries"]]
    assert job["jobArn"] in found
    assert len(pages) == len(found)
    assert bedrock.get_custom_model(modelIdentifier=job["outputModelArn"])["jobName"] == "walk"
    assert bedrock.get_provisioned_model_throughput(provisionedModelId=arn)["status"] == "InService"
    bedrock.tag_resource(resourceARN=arn, tags=[{"key": "haikuft:run", "value": "walk"}])
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    assert tags == [{"key": "haikuft:run", "value": "walk"}]


def test_errors_have_aws_code_and_status(tuned):
    """A refusal arrives as the ClientError that AWS would send."""
    clients, job, _ = tuned
    with pytest.raises(ClientError) as caught:
        clients("bedrock").delete_custom_model(modelIdentifier=job["outputModelArn"])
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_job_when_role_may_not_read_fails_and_names_the_action(account):
    """The role's own policy decides, not the caller's."""
    clients, _ = account
    role_arn = make_role(clients, "AmazonBedrock-blind", actions=["s3:ListBucket", "s3:PutObject"])
    job = wait_for_job(clients, start_job(clients, "blind", role_arn))
    assert job["status"] == "Failed"
    assert "s3:GetObject" in job["failureMessage"]


def test_create_when_trust_policy_does_not_name_bedrock_is_refused(account):
    """The trust policy is evaluated with the job's own ARN before anything starts."""
    clients, _ = account
    role_arn = make_role(clients, "AmazonBedrock-closed")
    trust = json.dumps(TRUST).replace("bedrock.amazonaws.com", "ec2.amazonaws.com")
    clients("iam").update_assume_role_policy(RoleName="AmazonBedrock-closed", PolicyDocument=trust)
    with pytest.raises(ClientError, match="Could not assume provided IAM role") as caught:
        start_job(clients, "closed", role_arn)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_reply_when_the_prompt_has_half_a_surrogate_pair_then_it_can_be_written(account):
    """JSON can write such a text as an escape, and the base model repeats words of the prompt."""
    clients, _ = account
    runtime = clients("bedrock-runtime")
    turns = [{"role": "user", "content": "Which one? x\ud800 y, z"}]
    asked = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": turns}
    body = json.dumps(asked)
    reply = json.loads(runtime.invoke_model(modelId=PLAIN, body=body)["body"].read())
    assert reply["content"][0]["text"]
    stream = runtime.invoke_model_with_response_stream(modelId=PLAIN, body=body)["body"]
    assert [json.loads(one["chunk"]["bytes"])["type"] for one in stream][-1] == "message_stop"
