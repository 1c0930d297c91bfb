"""Run an evaluation job: read the prompts, invoke the model, compute and write the scores.

Format and place of the scores: Bedrock User Guide, "Understand how the results of your
model evaluation job are saved in Amazon S3".
"""

import json
import threading
import traceback
import uuid
from dataclasses import replace
from typing import Any

from haikuft.sandbox.access.principals import AccessDenied
from haikuft.sandbox.access.service_role import Role, RoleNotAssumable
from haikuft.sandbox.bedrock.records import ControlPlane, EvaluationJob, id_of, region_of
from haikuft.sandbox.http.routing import Call, Handler, ServiceError
from haikuft.sandbox.jobs.evaluation_metrics import METRICS
from haikuft.sandbox.jobs.files import UNEXPECTED, JobError, read_input, write_output
from haikuft.sandbox.jobs.threads import JobThreads, Wait

MAX_PROMPTS = 1_000  # AWS General Reference: prompts in one custom data set
MAX_PROMPT_BYTES = 4 * 1024


class EvaluationStoppedError(Exception):
    """The job has been stopped by a request, or the server ends."""


class EvaluationRunner(JobThreads):
    """Runs evaluation jobs, and stops them.

    Args:
        plane: The records the jobs change.
        converse: Answers a prompt: Converse of the runtime.
        wait: Waits for an event or some seconds; tests replace it.
    """

    def __init__(
        self, plane: ControlPlane, converse: Handler, *, wait: Wait = threading.Event.wait
    ) -> None:
        super().__init__(wait=wait)
        self._plane = plane
        self._converse = converse

    def resume(self) -> None:
        """Resume the jobs that the last server left unfinished; one Stopping has stopped."""
        for job in list(self._plane.state.evaluations.values()):
            if job.status == "Stopping":
                self._end(job.arn, "Stopped")
            elif job.status == "InProgress":
                self.start(job.arn)

    def run(self, arn: str) -> None:
        """Run the job to its end; one that is Stopping turns to Stopped."""
        job = self._plane.state.evaluations[arn]
        try:
            self._work(job)
            self._end(arn, "Completed")
        except EvaluationStoppedError:
            if self._plane.state.evaluations[arn].status == "Stopping":
                self._end(arn, "Stopped")
        except (JobError, AccessDenied, ServiceError, RoleNotAssumable) as failure:
            self._end(arn, "Failed", str(failure)[:2048])
        except Exception:  # the job must end in any case, and the server's log contain the reason
            traceback.print_exc()
            self._end(arn, "Failed", UNEXPECTED)

    def _work(self, job: EvaluationJob) -> None:
        plane = self._plane
        self._wait(self.stop_event(job.arn), plane.settings().stage_seconds)
        self._check_stop(job.arn)
        role = plane.store.assume_role(job.request["roleArn"], source_arn=job.arn)
        automated = job.request["evaluationConfig"]["automated"]
        _check_metrics(automated)
        model = job.request["inferenceConfig"]["models"][0]
        source = model.get("precomputedInferenceSource", {}).get("inferenceSourceIdentifier")
        name = source or model["bedrockModel"]["modelIdentifier"].rpartition("/")[2]
        for config in automated["datasetMetricConfigs"]:
            uri = config["dataset"]["datasetLocation"]["s3Uri"]
            lines = []
            for prompt in _read_prompts(read_input(plane.store, role, uri), uri, source):
                self._check_stop(job.arn)
                response = (
                    prompt["modelResponses"][0]["response"]
                    if source
                    else self._ask(role, job, model["bedrockModel"], prompt["prompt"])
                )
                lines.append(_score(config, prompt, response, name))
            target = (
                f"{job.name}/{id_of(job.arn)}/models/{name}/taskTypes/{config['taskType']}/"
                f"datasets/{config['dataset']['name']}/{uuid.uuid4()}_output.jsonl"
            )
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            output = job.request["outputDataConfig"]["s3Uri"]
            write_output(plane.store, role, output.rstrip("/"), target, text.encode())

    def _ask(self, role: Role, job: EvaluationJob, model: dict[str, Any], prompt: str) -> str:
        """Invoke a model as the role, which must be allowed bedrock:InvokeModel."""
        region, model_id = region_of(job.arn), model["modelIdentifier"]
        arn = model_id
        if not arn.startswith("arn:"):
            arn = f"arn:aws:bedrock:{region}::foundation-model/{model_id}"
        self._plane.store.require_model(role, arn)
        given = json.loads(model.get("inferenceParams", "{}")).get("inferenceConfig", {})
        parameters = {
            "modelId": model_id,
            "messages": [{"role": "user", "content": [{"text": prompt}]}],
            "inferenceConfig": given,
        }
        account = job.arn.split(":")[4]
        call = Call("bedrock-runtime", "Converse", parameters, region, account, str(uuid.uuid4()))
        content = self._converse(call)["output"]["message"]["content"]
        return "".join(block["text"] for block in content if "text" in block)

    def _check_stop(self, arn: str) -> None:
        if self.stop_event(arn).is_set():
            raise EvaluationStoppedError

    def _end(self, arn: str, status: str, *failure_messages: str) -> None:
        with self._plane.state.lock:
            job = self._plane.state.evaluations[arn]
            self._plane.state.evaluations[arn] = replace(
                job, status=status, changed=self._plane.now(), failure_messages=failure_messages
            )


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


def _read_prompts(data: bytes, uri: str, source: str | None) -> list[dict[str, Any]]:
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
    given = prompt.get("modelResponses")
    return (
        isinstance(given, list)
        and len(given) == 1
        and isinstance(given[0], dict)
        and isinstance(given[0].get("response"), str)
        and given[0].get("modelIdentifier") == source
    )


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
