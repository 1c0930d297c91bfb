"""Run an evaluation job: read the prompts, invoke the model, compute and write the scores.

Only the metrics that need no model are computed; a job that asks for another fails. Bedrock's user
guide says that accuracy is the share of right classes for classification, and an F1 of words for
questions and answers; it does not publish how texts are normalised before. Here case, surrounding
space and (for words) punctuation and articles are ignored, as in the usual F1 of question
answering.
Sources: Bedrock User Guide, "Model evaluation tasks" and "Understand how the results of your model
evaluation job are saved in Amazon S3".
"""

import json
import re
import string
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from haikuft.sandbox.access.policy_evaluation import Permission
from haikuft.sandbox.access.store import Role
from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.records import ControlPlane, EvaluationJob, base_model_arn
from haikuft.sandbox.bedrock.resources import EVALUATION_JOBS
from haikuft.sandbox.http.messages import Call, Handler
from haikuft.sandbox.jobs.files import JobError, read_input, write_output
from haikuft.sandbox.jobs.runner import JobRunner

MAX_PROMPTS = 1_000  # AWS General Reference: prompts in one custom data set
MAX_PROMPT_BYTES = 4 * 1024


class EvaluationRunner(JobRunner):
    """Runs evaluation jobs, and stops them.

    Args:
        plane: The records the jobs change.
        converse: Answers a prompt: Converse of the runtime.
    """

    def __init__(self, plane: ControlPlane, converse: Handler) -> None:
        super().__init__(plane, EVALUATION_JOBS)
        self._converse = converse

    def work(self, arn: str) -> None:
        """Compute the scores of the job's data sets, and write them to S3."""
        plane, job = self._plane, self._plane.state.evaluations[arn]
        self.pause(arn, plane.settings().stage_seconds)
        role = plane.store.assume_role(job.request["roleArn"], source_arn=arn)
        _check_metrics(job.automated)
        source = job.source
        name = source or job.models[0].rpartition("/")[2]
        for config in job.automated["datasetMetricConfigs"]:
            uri = config["dataset"]["datasetLocation"]["s3Uri"]
            lines = []
            for prompt in _read_prompts(read_input(plane.store, role, uri), uri, source):
                self.check_stop(arn)
                response = (
                    prompt["modelResponses"][0]["response"]
                    if source
                    else self._ask(role, job, prompt["prompt"])
                )
                lines.append(_score(config, prompt, response, name))
            target = (
                f"{job.name}/{resources.id_of(arn)}/models/{name}/taskTypes/{config['taskType']}/"
                f"datasets/{config['dataset']['name']}/{uuid.uuid4()}_output.jsonl"
            )
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            output = job.request["outputDataConfig"]["s3Uri"]
            write_output(plane.store, role, output, target, text.encode())
        self.set_status(arn, "Completed")

    def describe_change(
        self, job: EvaluationJob, status: str, *failure_messages: str
    ) -> dict[str, Any]:
        """Return the failure messages, which are all that changes."""
        return {"failure_messages": failure_messages}

    def _ask(self, role: Role, job: EvaluationJob, prompt: str) -> str:
        """Invoke the job's model as the role, which must be allowed bedrock:InvokeModel."""
        model = job.request["inferenceConfig"]["models"][0]["bedrockModel"]
        model_id = model["modelIdentifier"]
        arn = model_id if model_id.startswith("arn:") else base_model_arn(model_id, job.region)
        self._plane.store.require(role, Permission("bedrock:InvokeModel", arn))
        given = json.loads(model.get("inferenceParams", "{}")).get("inferenceConfig", {})
        parameters = {
            "modelId": model_id,
            "messages": [{"role": "user", "content": [{"text": prompt}]}],
            "inferenceConfig": given,
        }
        call = Call("Converse", parameters, job.region, job.account_id)
        content = self._converse(call)["output"]["message"]["content"]
        return "".join(block["text"] for block in content if "text" in block)


def _check_metrics(automated: dict[str, Any]) -> None:
    """Fail a job with a metric that needs an evaluator model."""
    if "evaluatorModelConfig" in automated:
        raise JobError(
            "The sandbox has no judge: metrics that a model decides are not computed here. Run "
            "the job on AWS."
        )
    for config in automated["datasetMetricConfigs"]:
        for metric in config["metricNames"]:
            if (config["taskType"], metric) not in METRICS:
                served = ", ".join(f"{name} of {task}" for task, name in METRICS)
                raise JobError(
                    f"The sandbox does not compute {metric} of {config['taskType']}, which needs "
                    f"a model; it computes {served}."
                )


def _read_prompts(data: bytes, uri: str, source: str) -> list[dict[str, Any]]:
    """Read a data set and check it against Bedrock's rules and quotas.

    Raises:
        JobError: names the first line that violates them.
    """
    prompts = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
        fault = ""
        try:
            prompt = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            raise JobError(f"{uri}, line {number}: this is no JSON object.") from None
        if not isinstance(prompt, dict):
            fault = "this is no JSON object"
        elif not isinstance(prompt.get("prompt"), str):
            fault = "it has no prompt"
        elif not isinstance(prompt.get("referenceResponse"), str):
            fault = "it has no referenceResponse, which accuracy needs"
        elif len(prompt["prompt"].encode("utf-8", "surrogatepass")) > MAX_PROMPT_BYTES:
            fault = f"its prompt is longer than {MAX_PROMPT_BYTES} bytes"
        elif source and not _gives_response(prompt, source):
            fault = f"modelResponses is not one response of {source}"
        if fault:
            raise JobError(f"{uri}, line {number}: {fault}.")
        prompts.append(prompt)
    if not prompts or len(prompts) > MAX_PROMPTS:
        raise JobError(f"{uri} has {len(prompts)} prompts; a job takes 1 to {MAX_PROMPTS}.")
    return prompts


def _gives_response(prompt: dict[str, Any], source: str) -> bool:
    try:
        [given] = prompt["modelResponses"]
        return isinstance(given["response"], str) and given["modelIdentifier"] == source
    except (KeyError, TypeError, ValueError):  # not a list of one object with both members
        return False


def _score(
    config: dict[str, Any], prompt: dict[str, Any], response: str, name: str
) -> dict[str, Any]:
    scores = [
        {
            "metricName": metric.removeprefix("Builtin."),
            "result": METRICS[config["taskType"], metric](response, prompt["referenceResponse"]),
        }
        for metric in config["metricNames"]
    ]
    return {
        "automatedEvaluationResult": {"scores": scores},
        "inputRecord": {key: value for key, value in prompt.items() if key != "modelResponses"},
        "modelResponses": [{"response": response, "modelIdentifier": name}],
    }


_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def label_accuracy(response: str, reference: str) -> float:
    """1 for the right class, 0 for any other."""
    return float(response.strip().casefold() == reference.strip().casefold())


def word_f1(response: str, reference: str) -> float:
    """Harmonic mean of precision and recall of the words, each counted as often as it occurs."""
    found, wanted = Counter(_words(response)), Counter(_words(reference))
    if not found or not wanted:
        return float(found == wanted)
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total())


METRICS: Mapping[tuple[str, str], Callable[[str, str], float]] = {
    ("Classification", "Builtin.Accuracy"): label_accuracy,
    ("QuestionAndAnswer", "Builtin.Accuracy"): word_f1,
}
"""(task type, metric) -> (response, reference) -> score from 0 to 1."""


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split()
