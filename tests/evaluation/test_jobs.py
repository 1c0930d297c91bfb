"""Evaluation jobs, from test records to scores, on the sandbox."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fakes import SOON, ScriptedReply

import haikuft.sandbox
from haikuft import iam, s3
from haikuft.dataset.records import record_id, write_records
from haikuft.errors import AccessError, DataError, JobFailedError, SettingsError
from haikuft.evaluation import jobs
from haikuft.evaluation.job_prompts import build_prompts, check_prompts
from haikuft.inventory import delete_resources
from haikuft.runs.run_record import Run

ACCOUNT, REGION = "123456789012", "us-west-2"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
BASE = "anthropic.claude-3-haiku-20240307-v1:0"
LABELS = ("refund", "delivery")
Request = dict[str, Any]
Change = Callable[[Request], Request]
BUILT_IN = {
    "taskType": "QuestionAndAnswer",
    "dataset": {"name": "Builtin.BoolQ"},
    "metricNames": ["Builtin.Accuracy"],
}
RETRIEVAL = {
    "precomputedRagSourceConfig": {"retrieveSourceConfig": {"ragSourceIdentifier": "search"}}
}


def build_records(count: int) -> list[dict[str, Any]]:
    """Make so many records, their labels in turn."""
    return [
        {
            "messages": [
                {"role": "user", "content": f"Message {number}. Is it refund or delivery?"},
                {"role": "assistant", "content": LABELS[number % 2]},
            ]
        }
        for number in range(count)
    ]


def ask_base(request: Request) -> Request:
    """Have the job ask the base model, instead of reading responses."""
    params = json.dumps({"inferenceConfig": {"maxTokens": 50}})
    model = {"bedrockModel": {"modelIdentifier": BASE, "inferenceParams": params}}
    return request | {"inferenceConfig": {"models": [model]}}


def add_judge(request: Request) -> Request:
    """Have a model judge."""
    judge = {"bedrockEvaluatorModels": [{"modelIdentifier": "amazon.nova-pro-v1:0"}]}
    automated = request["evaluationConfig"]["automated"] | {"evaluatorModelConfig": judge}
    return request | {"evaluationConfig": {"automated": automated}}


def measure_toxicity(request: Request) -> Request:
    """Ask for a metric that the sandbox does not compute."""
    request["evaluationConfig"]["automated"]["datasetMetricConfigs"][0]["metricNames"] = [
        "Builtin.Toxicity"
    ]
    return request


@dataclass
class Bench:
    """A sandbox with a bucket and an evaluation role, and what tests do with them."""

    local: Any
    folder: Path
    bucket: str
    role_arn: str

    @property
    def bedrock(self) -> Any:
        """The control plane."""
        return self.local.client("bedrock")

    def upload(self, prompts: list[dict[str, Any]]) -> str:
        """Put prompts where the role may read them."""
        path = write_records(self.folder / "prompts.jsonl", prompts)
        client = self.local.client("s3")
        return s3.upload_file(client, path, self.bucket, "evaluation/prompts.jsonl")

    def request(self, **changes: Any) -> dict[str, Any]:
        """Build a request for responses of one's own."""
        wanted = {
            "job_name": "labels",
            "role_arn": self.role_arn,
            "prompts_uri": f"s3://{self.bucket}/evaluation/prompts.jsonl",
            "output_uri": f"s3://{self.bucket}/evaluation/results/",
            "task_type": "Classification",
            "source": "tuned",
            "tags": TAGS,
            **changes,
        }
        return jobs.build_evaluation_request(**wanted)

    def evaluate(self, change: Change = dict, **changes: Any) -> jobs.EvaluationJob:
        """Run a job to its end; `change` makes another request of ours."""
        arn = jobs.start_evaluation_job(self.bedrock, change(self.request(**changes)))
        return jobs.wait_for_evaluation_job(self.bedrock, arn, SOON)

    def limit(self, policy: dict[str, Any]) -> None:
        """Give the role another policy."""
        iam.ensure_role(
            self.local.client("iam"),
            "AmazonBedrock-evaluation",
            trust_policy=iam.build_evaluation_trust_policy(ACCOUNT, REGION),
            role_policy=policy,
            tags=TAGS,
        )


@pytest.fixture
def bench(local_sandbox: Callable[..., Any], tmp_path: Path) -> Bench:
    """Set up bucket and role as the policies of `haikuft.iam` say."""
    local = local_sandbox(handlers=None)
    bucket = s3.default_bucket_name("first", account_id=ACCOUNT, region=REGION)
    s3.ensure_bucket(local.client("s3"), bucket, region=REGION, tags=TAGS)
    role_arn = iam.ensure_role(
        local.client("iam"),
        "AmazonBedrock-evaluation",
        trust_policy=iam.build_evaluation_trust_policy(ACCOUNT, REGION),
        role_policy=iam.build_evaluation_policy(bucket, region=REGION, account_id=ACCOUNT),
        tags=TAGS,
    )
    return Bench(local, tmp_path, bucket, role_arn)


@pytest.fixture
def own(bench: Bench) -> Bench:
    """Upload twenty prompts with replies of one's own, three in four of them right."""
    records = build_records(20)
    replies = {
        record_id(record): ScriptedReply("neither" if number % 4 == 3 else LABELS[number % 2])
        for number, record in enumerate(records)
    }
    prompts = build_prompts(records, replies, source="tuned")
    check_prompts(prompts)
    bench.upload(prompts)
    return bench


def test_own_responses_are_scored_and_read_back(own: Bench) -> None:
    """Every prompt comes back with its response and its score, under the job's own folder."""
    job = own.evaluate()
    scores = jobs.read_scores(own.local.client("s3"), job)
    assert list(scores.columns) == ["prompt", "reference", "response", "Accuracy"]
    assert len(scores) == 20
    assert scores["Accuracy"].mean() == 0.75
    assert (scores["Accuracy"] == (scores["reference"] == scores["response"])).all()
    keys = [key for key, _ in s3.list_objects(own.local.client("s3"), own.bucket)]
    folder = f"evaluation/results/labels/{job.arn.rpartition('/')[2]}/models/tuned/"
    assert (
        sum(key.startswith(f"{folder}taskTypes/Classification/datasets/test/") for key in keys) == 1
    )


def test_texts_with_separators_of_unicode_are_read_whole_by_the_job_and_from_its_results(
    bench: Bench,
) -> None:
    """A line is what ends in LF: no other character that divides lines elsewhere divides one."""
    records = build_records(4)
    for record, separator in zip(records, "\u2028\u2029\u0085\x1c", strict=True):
        record["messages"][0]["content"] += f"{separator}Thank you."
    replies = {
        record_id(record): ScriptedReply(LABELS[number % 2])
        for number, record in enumerate(records)
    }
    prompts = build_prompts(records, replies, source="tuned")
    bench.upload(prompts)
    scores = jobs.read_scores(bench.local.client("s3"), bench.evaluate())
    assert sorted(scores["prompt"]) == sorted(prompt["prompt"] for prompt in prompts)
    assert scores["Accuracy"].mean() == 1.0


def test_a_model_is_asked_by_the_job_as_the_role(bench: Bench) -> None:
    """Without responses in the data set, the job asks; the base names one of the two labels."""
    prompts = [{"prompt": "Message 1. Is it refund or delivery?", "referenceResponse": "refund"}]
    bench.upload(prompts * 4)
    job = bench.evaluate(ask_base)
    scores = jobs.read_scores(bench.local.client("s3"), job)
    assert scores["response"].str.len().gt(0).all()


@pytest.mark.parametrize(
    ("statement", "change", "words"),
    [
        ("FindPrompts", dict, "s3:ListBucket"),
        ("ReadPromptsWriteScores", dict, "s3:GetObject"),
        ("AskEvaluatedModels", ask_base, "bedrock:InvokeModel"),
    ],
)
def test_job_when_a_statement_of_the_role_is_missing_fails_and_names_it(
    own: Bench, statement: str, change: Change, words: str
) -> None:
    """The policy is enough, and each of its statements is needed."""
    policy = iam.build_evaluation_policy(own.bucket, region=REGION, account_id=ACCOUNT)
    kept = [one for one in policy["Statement"] if one["Sid"] != statement]
    own.limit(policy | {"Statement": kept})
    with pytest.raises(JobFailedError, match=words):
        own.evaluate(change)


def test_job_when_the_role_is_trusted_for_another_kind_of_job_is_refused(own: Bench) -> None:
    """A customization job's role does not do."""
    iam.ensure_role(
        own.local.client("iam"),
        "AmazonBedrock-evaluation",
        trust_policy=iam.build_trust_policy(ACCOUNT, REGION),
        role_policy=iam.build_evaluation_policy(own.bucket, region=REGION, account_id=ACCOUNT),
        tags=TAGS,
    )
    with pytest.raises((AccessError, SettingsError), match="Could not assume provided IAM role"):
        own.evaluate()


@pytest.mark.parametrize(
    ("change", "changes", "words"),
    [
        (add_judge, {}, "The sandbox has no judge"),
        (add_judge, {"task_type": "General"}, "The sandbox has no judge"),
        (dict, {"task_type": "General"}, "does not compute Builtin.Accuracy of General"),
        (measure_toxicity, {}, "does not compute Builtin.Toxicity"),
        (dict, {"task_type": "Summarization"}, "of Summarization, which needs a model"),
        (dict, {"source": "another"}, "line 1: modelResponses is not one response of another"),
    ],
)
def test_job_that_cannot_be_computed_fails_and_says_why(
    own: Bench, change: Change, changes: dict[str, Any], words: str
) -> None:
    """Nothing is made up: what needs a judge is for AWS."""
    with pytest.raises(JobFailedError, match=words):
        own.evaluate(change, **changes)


def test_job_when_its_name_is_taken_is_refused(own: Bench) -> None:
    """Names are unique in account and Region, also after the job."""
    own.evaluate()
    with pytest.raises(Exception, match="currently in use"):
        own.evaluate()


def test_stop_when_a_job_runs_ends_it_and_no_scores_are_there(own: Bench) -> None:
    """The wait says so, and there is nothing to read."""
    haikuft.sandbox.configure(own.local.url, stage_seconds=30.0)
    arn = jobs.start_evaluation_job(own.bedrock, own.request())
    own.bedrock.stop_evaluation_job(jobIdentifier=arn)
    with pytest.raises(JobFailedError, match="is Stopped"):
        jobs.wait_for_evaluation_job(own.bedrock, arn, SOON)
    stopped = jobs.get_evaluation_job(own.bedrock, arn)
    with pytest.raises(DataError, match="no results"):
        jobs.read_scores(own.local.client("s3"), stopped)


def test_list_shows_jobs_by_status_and_name(own: Bench) -> None:
    """As AWS lists them; where there are none the member is left out."""
    assert "jobSummaries" not in own.bedrock.list_evaluation_jobs()
    own.evaluate()
    (summary,) = own.bedrock.list_evaluation_jobs(statusEquals="Completed")["jobSummaries"]
    assert summary["jobName"] == "labels"
    assert summary["evaluationTaskTypes"] == ["Classification"]
    assert "jobSummaries" not in own.bedrock.list_evaluation_jobs(statusEquals="Failed")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"evaluationConfig": {"human": {"datasetMetricConfigs": [BUILT_IN]}}}, "human workers"),
        ({"evaluationConfig": {"automated": {"datasetMetricConfigs": [BUILT_IN]}}}, "BoolQ"),
        ({"inferenceConfig": {"ragConfigs": [RETRIEVAL]}}, "not retrieval"),
        ({"outputDataConfig": {"s3Uri": "s3://nowhere/at/all/"}}, "does not exist"),
    ],
)
def test_create_when_the_sandbox_has_no_such_job_is_refused_at_once(
    own: Bench, change: dict[str, Any], words: str
) -> None:
    """People, retrieval and Bedrock's own data sets are AWS's; the sandbox says so."""
    with pytest.raises(ClientError, match=words):
        own.bedrock.create_evaluation_job(**(own.request() | change))


def test_job_under_way_when_the_server_ends_is_resumed(
    own: Bench, local_sandbox: Callable[..., Any]
) -> None:
    """The next server begins it again, and completes it under its ARN."""
    done = own.evaluate()
    haikuft.sandbox.configure(own.local.url, stage_seconds=30.0)
    arn = jobs.start_evaluation_job(own.bedrock, own.request(job_name="second"))
    own.local.application.close()
    bedrock = local_sandbox(handlers=None).client("bedrock")
    assert jobs.get_evaluation_job(bedrock, done.arn) == done
    assert jobs.wait_for_evaluation_job(bedrock, arn, SOON).name == "second"


def test_replies_of_a_run_are_scored_once_and_clean_up_deletes_the_role(
    tuned_run: Callable[[], Run],
) -> None:
    """The record names role and job: the same replies start no other job, changed ones do."""
    run = tuned_run()
    records = build_records(4)
    replies = {record_id(record): ScriptedReply("refund") for record in records}
    path = write_records(run.data / "evaluation.jsonl", build_prompts(records, replies, source="t"))
    run, first = jobs.evaluate_replies(run, path, "labels", source="t", waiting=SOON)
    assert jobs.read_scores(run.connection.client("s3"), first)["Accuracy"].mean() == 0.5
    run, again = jobs.evaluate_replies(run, path, "labels", source="t", waiting=SOON)
    assert again == first
    write_records(path, build_prompts(records[:2], replies, source="t"))
    run, second = jobs.evaluate_replies(run, path, "labels", source="t", waiting=SOON)
    assert second.arn != first.arn
    held = run.connection.client("iam")
    assert run.record.evaluation_role_name in [r["RoleName"] for r in held.list_roles()["Roles"]]
    delete_resources(run, SOON)
    assert held.list_roles()["Roles"] == []
