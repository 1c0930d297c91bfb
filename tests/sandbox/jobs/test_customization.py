"""Customization jobs: what creation refuses, what a job does, and how it ends."""

import json
import re

import pytest

from haikuft.base_models import BASE_MODELS
from haikuft.sandbox.bedrock import quotas
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.settings import STAGES

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"


def refusal(desk, **changes):
    """Create a job that must be refused, and give (code, message)."""
    with pytest.raises(ServiceError) as caught:
        desk.create_job("refused", **changes)
    assert desk.ask("ListModelCustomizationJobs", nameContains="refused") == {
        "modelCustomizationJobSummaries": []
    }
    return caught.value.code, caught.value.message


def test_job_when_all_is_well_completes_with_model_and_losses(desk):
    """A job ends with a custom model, and Get tells both losses and all it was given."""
    job = desk.run_job(hyperParameters={"epochCount": "3"})
    assert job["status"] == "Completed"
    assert job["trainingMetrics"] == {"trainingLoss": 0.5}
    assert job["validationMetrics"] == [{"validationLoss": 0.75}]
    assert job["hyperParameters"] == {
        "epochCount": "3",
        "batchSize": "32",
        "learningRateMultiplier": "1.0",
        "earlyStoppingThreshold": "0.001",
        "earlyStoppingPatience": "2",
    }
    assert job["endTime"] >= job["creationTime"]
    assert "failureMessage" not in job
    model = desk.ask("GetCustomModel", modelIdentifier="model-of-job-1")
    assert model["modelArn"] == job["outputModelArn"]
    assert model["jobArn"] == job["jobArn"]


def test_job_arn_and_model_arn_have_aws_shape(desk):
    """Both carry the suffixed base model and end in twelve lower-case letters or digits."""
    job = desk.run_job()
    tail = re.escape(HAIKU) + r"/[a-z0-9]{12}"
    head = "arn:aws:bedrock:us-west-2:123456789012:"
    assert re.fullmatch(head + "model-customization-job/" + tail, job["jobArn"])
    assert re.fullmatch(head + "custom-model/" + tail, job["outputModelArn"])
    assert job["baseModelArn"] == f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}"


def test_job_when_completed_leaves_metrics_where_aws_leaves_them(desk):
    """Both CSVs lie under the job's id, and a slash at the output URI's end doubles nothing."""
    job = desk.run_job()
    prefix = f"output/model-customization-job-{job['jobArn'].rpartition('/')[2]}"
    written = {key for _, key in desk.store.objects if key.startswith("output/")}
    assert written == {
        "output/.write_access_check_file.tmp",
        f"{prefix}/training_artifacts/step_wise_training_metrics.csv",
        f"{prefix}/validation_artifacts/post_fine_tuning_validation/validation/"
        "validation_metrics.csv",
    }


def test_job_without_validation_data_has_no_validation_metrics(desk):
    """Validation data is optional; its config still comes back, empty."""
    job = desk.run_job(validationDataConfig=None)
    assert job["status"] == "Completed"
    assert "validationMetrics" not in job
    assert job["validationDataConfig"] == {"validators": []}
    assert not [key for _, key in desk.store.objects if key.endswith("validation_metrics.csv")]


def test_job_stages_move_one_after_the_other(desk):
    """While a stage lasts the ones before are Completed and the ones after NotStarted."""
    desk.run_job()
    seen = [[job["statusDetails"][stage]["status"] for stage in STAGES] for job in desk.seen]
    assert seen == [
        ["InProgress", "NotStarted", "NotStarted"],
        ["Completed", "InProgress", "NotStarted"],
        ["Completed", "Completed", "InProgress"],
    ]
    assert all(job["status"] == "InProgress" for job in desk.seen)
    assert "creationTime" not in desk.seen[0]["statusDetails"]["trainingDetails"]


def test_job_when_stage_seconds_is_set_lasts_so_long_in_each_stage(desk):
    """Three stages of two seconds make a job of six."""
    job = desk.run_job()
    assert (job["endTime"] - job["creationTime"]).total_seconds() == 6.0


def test_job_gives_child_its_hyperparameters_and_base_model(desk):
    """The child process reads AWS's names and strings from job.json."""
    desk.run_job(hyperParameters={"batchSize": "4"})
    (model,) = desk.bedrock.plane.state.models.values()
    job = json.loads((model.directory / "job.json").read_text())
    assert job["hyperparameters"]["batchSize"] == "4"
    assert job["base_model_id"] == HAIKU


def test_job_when_over_leaves_no_working_files(desk):
    """Only the model's own directory stays behind."""
    desk.run_job()
    (model,) = desk.bedrock.plane.state.models.values()
    assert list(desk.bedrock.plane.models_dir.iterdir()) == [model.directory]
    assert desk.bedrock.runner.running == 0


def test_create_when_role_cannot_be_assumed_is_refused_in_aws_words(desk):
    """The role is tried at once; the reason follows AWS's sentence."""
    desk.store.unassumable = "There is no role x."
    code, message = refusal(desk)
    assert code == "ValidationException"
    assert message == "Could not assume provided IAM role. There is no role x."


@pytest.mark.parametrize(
    "identifier",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "anthropic.claude-3-haiku-20240307-v1:0:48k",
        "anthropic.claude-haiku-4-5-20251001-v1:0:200k",
        f"arn:aws:bedrock:us-east-1::foundation-model/{HAIKU}",
        "no-such-custom-model",
    ],
)
def test_create_when_base_model_is_not_tunable_is_refused(desk, identifier):
    """The suffix is mandatory, and so are a tunable model and its Region."""
    assert refusal(desk, baseModelIdentifier=identifier) == (
        "ValidationException",
        "The provided model identifier is invalid.",
    )


def test_create_in_other_region_is_refused(desk):
    """Claude 3 Haiku is tuned in us-west-2 only."""
    with pytest.raises(ServiceError, match="The provided model identifier is invalid"):
        desk.create_job(region="us-east-1")


def test_create_when_base_model_is_given_by_arn_is_accepted(desk):
    """The model's ARN is as good as its id."""
    job = desk.run_job(baseModelIdentifier=f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}")
    assert job["status"] == "Completed"


def test_create_when_lifecycle_is_today_is_refused_as_ended(desk):
    """Past its end of life the model is not found."""
    desk.change(lifecycle="today")
    code, message = refusal(desk)
    assert code == "ResourceNotFoundException"
    assert message.startswith("This model version has reached the end of its life.")


@pytest.mark.parametrize("uri", ["s3://data/training/", "s3://data/train.json", "s3://data"])
def test_create_when_training_uri_is_no_jsonl_object_is_refused(desk, uri):
    """A prefix or another ending is refused before anything is read."""
    code, message = refusal(desk, trainingDataConfig={"s3Uri": uri})
    assert code == "ValidationException"
    assert message.startswith("Provided S3 location is invalid: ")
    assert message.endswith("Input data must be in .jsonl format")


def test_create_when_bucket_is_in_another_region_is_refused(desk):
    """The message names both Regions."""
    code, message = refusal(desk, trainingDataConfig={"s3Uri": "s3://far/train.jsonl"})
    assert code == "ValidationException"
    assert message.startswith(
        "Could not validate GetObject permissions to access Amazon S3 bucket: far at key "
        "train.jsonl"
    )
    assert "us-east-1" in message
    assert "us-west-2" in message


def test_create_when_output_bucket_does_not_exist_is_refused(desk):
    """The output's bucket is looked at as well."""
    code, message = refusal(desk, outputDataConfig={"s3Uri": "s3://nowhere/output"})
    assert code == "ValidationException"
    assert "PutObject" in message
    assert message.endswith("The bucket does not exist.")


@pytest.mark.parametrize(
    "values", [{"epochCount": "11"}, {"learningRateMultiplier": "0.05"}, {"learningRate": "1"}]
)
def test_create_when_hyperparameter_is_out_of_range_or_unknown_is_refused(desk, values):
    """Names and ranges are the base model's; the message names the culprit."""
    code, message = refusal(desk, hyperParameters=values)
    assert code == "ValidationException"
    assert next(iter(values)) in message


def test_create_when_job_name_is_taken_is_refused_even_after_the_job(desk):
    """Jobs cannot be deleted, so their names stay taken."""
    desk.run_job("taken")
    with pytest.raises(ServiceError) as caught:
        desk.create_job("taken", customModelName="another")
    assert caught.value.code == "ValidationException"
    assert caught.value.message == "The provided job name is currently in use."


def test_create_when_model_name_is_taken_is_refused_until_the_model_is_deleted(desk):
    """A custom model's name is free again once the model is gone."""
    job = desk.run_job("one")
    with pytest.raises(ServiceError, match="custom model name is currently in use"):
        desk.create_job("two", customModelName="model-of-one")
    desk.ask("DeleteCustomModel", modelIdentifier=job["outputModelArn"])
    assert desk.run_job("three", customModelName="model-of-one")["status"] == "Completed"


def test_create_when_token_is_repeated_makes_no_second_job(desk):
    """The same client request token gets the same job."""
    first = desk.create_job("one", clientRequestToken="t0")
    assert desk.create_job("one", clientRequestToken="t0") == first
    assert len(desk.ask("ListModelCustomizationJobs")["modelCustomizationJobSummaries"]) == 1


def test_create_when_token_is_repeated_with_other_parameters_ignores_them(desk):
    """The API reference: a request with a token used before is ignored, without an error."""
    first = desk.create_job("one", clientRequestToken="t0")
    assert desk.create_job(
        "two", hyperParameters={"epochCount": "99"}, clientRequestToken="t0"
    ) == (first)
    assert desk.create_job("two", clientRequestToken="t1") != first


def test_create_when_ten_jobs_are_not_over_is_refused_until_one_is(desk, records):
    """Ten is AWS's quota of scheduled jobs."""
    desk.store.objects["data", "training/train.jsonl"] = records(40, "hang")
    arns = [desk.create_job(f"job-{n}") for n in range(10)]
    code, message = refusal(desk)
    assert code == "ServiceQuotaExceededException"
    assert "limited to 10 scheduled customization jobs" in message
    desk.ask("StopModelCustomizationJob", jobIdentifier=arns[0])
    desk.bedrock.runner.join(arns[0])
    desk.create_job("job-10")


def test_create_when_account_has_all_its_custom_models_is_refused(desk, monkeypatch):
    """No job starts whose model there would be no room for; a deleted model makes room."""
    monkeypatch.setattr(quotas, "CUSTOM_MODELS", 1)
    job = desk.run_job()
    code, message = refusal(desk)
    assert code == "ServiceQuotaExceededException"
    assert "limited to 1 custom models" in message
    desk.ask("DeleteCustomModel", modelIdentifier=job["outputModelArn"])
    assert desk.run_job("job-2")["status"] == "Completed"


def test_create_when_two_validation_files_are_given_is_refused(desk):
    """AWS's shape takes up to ten; the sandbox takes one and says so, and none is none."""
    uri = "s3://data/validation/validation.jsonl"
    code, message = refusal(
        desk, validationDataConfig={"validators": [{"s3Uri": uri}, {"s3Uri": uri}]}
    )
    assert (code, message) == (
        "ValidationException",
        "The sandbox takes one validation file, no more.",
    )
    job = desk.run_job(validationDataConfig={"validators": []})
    assert (job["status"], "validationMetrics" in job) == ("Completed", False)


def test_create_when_training_data_has_no_uri_is_refused(desk):
    """AWS's shape does not require it; fine-tuning does."""
    assert refusal(desk, trainingDataConfig={}) == (
        "ValidationException",
        "trainingDataConfig needs an s3Uri.",
    )


def test_create_when_base_model_is_a_custom_model_is_refused_as_not_served(desk):
    """AWS can tune a custom model once more; the sandbox says that it does not."""
    job = desk.run_job()
    for identifier in (job["outputModelArn"], "model-of-job-1"):
        code, message = refusal(desk, baseModelIdentifier=identifier)
        assert (code, message[:12]) == ("ValidationException", "The sandbox ")


def test_create_when_a_job_failed_its_model_name_is_free(desk):
    """Only a model, or a job that may make one, holds the name; the job's own stays taken."""
    desk.store.denied = {"s3:GetObject"}
    assert desk.run_job("one")["status"] == "Failed"
    desk.store.denied = set()
    assert desk.run_job("two", customModelName="model-of-one")["status"] == "Completed"


@pytest.mark.parametrize("kind", ["DISTILLATION", "CONTINUED_PRE_TRAINING"])
def test_create_when_customization_is_not_fine_tuning_is_refused(desk, kind):
    """Claude 3 Haiku can be fine-tuned and nothing else."""
    code, message = refusal(desk, customizationType=kind)
    assert code == "ValidationException"
    assert kind in message


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            "s3:GetObject",
            "Could not validate GetObject permissions to access Amazon S3 bucket: data at key "
            "training/train.jsonl. The role is not allowed s3:GetObject",
        ),
        (
            "s3:PutObject",
            "Amazon S3 perms missing (PutObject): Could not validate PutObject permissions to "
            "access S3 bucket: data at key output/.write_access_check_file.tmp. "
            "The role is not allowed s3:PutObject",
        ),
    ],
)
def test_job_when_permission_is_missing_fails_and_names_it(desk, action, words):
    """AWS's sentence comes first, then the action and the resource."""
    desk.store.denied = {action}
    job = desk.run_job()
    assert job["status"] == "Failed"
    assert job["failureMessage"].startswith(words)
    assert job["statusDetails"]["validationDetails"]["status"] == "Failed"
    assert job["statusDetails"]["trainingDetails"] == {"status": "NotStarted"}


def test_job_when_training_file_is_not_there_fails(desk):
    """A missing object fails the job, not the creation."""
    job = desk.run_job(trainingDataConfig={"s3Uri": "s3://data/none.jsonl"})
    assert job["failureMessage"].startswith(
        "Could not validate GetObject permissions to access Amazon S3 bucket: data at key none"
    )


def test_job_when_file_is_not_json_lines_fails_in_aws_words(desk, records):
    """The message names the uploaded file and the line."""
    desk.store.objects["data", "training/train.jsonl"] = records(40) + b"{oops\n"
    job = desk.run_job()
    assert job["status"] == "Failed"
    assert job["failureMessage"].startswith(
        "Unable to parse Amazon S3 file: train.jsonl. Data files must conform to JSONL format. "
        "Line 41: "
    )


def test_job_when_records_do_not_fit_the_format_fails_in_aws_words(desk):
    """Prompt/completion records are not Claude's."""
    line = b'{"prompt": "a", "completion": "b"}\n'
    desk.store.objects["data", "validation/validation.jsonl"] = line * 40
    job = desk.run_job()
    assert job["failureMessage"].startswith(
        "Unable to parse S3 file due to invalid data schema/format. In validation.jsonl: "
    )


def test_job_when_validation_file_has_too_few_records_fails(desk, records):
    """The minimum holds for each file."""
    desk.store.objects["data", "validation/validation.jsonl"] = records(31)
    job = desk.run_job()
    assert job["status"] == "Failed"
    assert "31" in job["failureMessage"]


def test_job_when_record_breaks_only_our_stricter_rules_completes(desk, records):
    """The sandbox fails a job on what Bedrock refuses and on nothing else."""
    record = {
        "note": "not a key we would accept",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": ""},
        ],
    }
    data = records(40) + json.dumps(record).encode() + b"\n"
    desk.store.objects["data", "training/train.jsonl"] = data
    assert desk.run_job()["status"] == "Completed"


EAST = "us-east-1"
NOVA_MICRO = "amazon.nova-micro-v1:0:128k"
NOVA_2_LITE = "amazon.nova-2-lite-v1:0:256k"


def conversations(count, text="Where is my order?", **more):
    """Write so many different conversations as JSON Lines."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": [{"text": f"{n}: {text}"}]},
                {"role": "assistant", "content": [{"text": "delivery"}]},
            ],
            **more,
        }
        for n in range(count)
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def run_in_the_east(desk, base_model_id, **changes):
    """Run a job of one of Amazon's own models to its end and describe it."""
    desk.base_models |= BASE_MODELS
    desk.change(stage_seconds=0.0)
    desk.store.regions["data"] = EAST
    arn = desk.create_job(region=EAST, baseModelIdentifier=base_model_id, **changes)
    desk.bedrock.runner.join(arn)
    return desk.ask("GetModelCustomizationJob", region=EAST, jobIdentifier=arn)


def test_job_when_the_model_is_novas_then_its_own_records_are_taken(desk):
    """Eight in each file are enough, with keys that AWS passes over."""
    desk.store.objects["data", "training/train.jsonl"] = conversations(8, note="passed over")
    desk.store.objects["data", "validation/validation.jsonl"] = conversations(8, "Has it left?")
    assert run_in_the_east(desk, NOVA_MICRO)["status"] == "Completed"


@pytest.mark.parametrize(
    ("training", "words"),
    [
        (None, "invalid data schema/format. In train.jsonl: In each of its 40 lines this is Mess"),
        (conversations(7), "The file train.jsonl cannot be used. The file has 7 records"),
        (
            conversations(8, "System: hello"),
            "schema/format. In train.jsonl: Line 1, messages[0].content[0].text: the text holds",
        ),
        (
            conversations(8, toolConfig={}),
            "invalid data schema/format. In train.jsonl: Line 1, toolConfig: tools, and this seri",
        ),
    ],
)
def test_job_when_the_model_is_novas_then_its_own_rules_hold(training, words, desk):
    """Another family's records, too few, a reserved word, and what the stand-in cannot learn."""
    desk.store.objects["data", "validation/validation.jsonl"] = conversations(8, "Has it left?")
    if training:
        desk.store.objects["data", "training/train.jsonl"] = training
    job = run_in_the_east(desk, NOVA_MICRO)
    assert job["status"] == "Failed"
    assert words in job["failureMessage"]


def test_job_when_the_model_takes_no_validation_file_then_one_is_refused_at_once(desk):
    """Without it the job runs, with it none begins."""
    desk.store.objects["data", "training/train.jsonl"] = conversations(200)
    with pytest.raises(ServiceError, match="does not use validation data") as refused:
        run_in_the_east(desk, NOVA_2_LITE)
    assert refused.value.code == "ValidationException"
    job = run_in_the_east(desk, NOVA_2_LITE, validationDataConfig=None)
    assert job["status"] == "Completed"
    assert "validationMetrics" not in job


def test_job_when_both_files_have_too_many_records_together_fails(desk, records):
    """The quota counts training and validation records together."""
    desk.store.objects["data", "training/train.jsonl"] = records(9_990)
    job = desk.run_job()
    assert job["status"] == "Failed"
    assert "10022" in job["failureMessage"]
    assert job["statusDetails"]["dataProcessingDetails"]["status"] == "Failed"


def test_job_when_training_crashes_fails_with_aws_general_words(desk, records):
    """What the child says goes to the log; the job has AWS's sentence."""
    desk.store.objects["data", "training/train.jsonl"] = records(40, "crash")
    job = desk.run_job()
    assert job["failureMessage"] == (
        "Encountered an unexpected error when processing the request, please try again"
    )
    assert job["statusDetails"]["trainingDetails"]["status"] == "Failed"
    assert desk.ask("ListCustomModels") == {"modelSummaries": []}


def test_stop_when_training_kills_the_child_and_makes_no_model(desk, records):
    """Stopping ends the child process; the job is Stopped and its model never comes to be."""
    desk.store.objects["data", "training/train.jsonl"] = records(40, "hang")
    arn = desk.create_job()
    wait_for_child(desk, arn)
    child = desk.bedrock.runner._children[arn]
    desk.ask("StopModelCustomizationJob", jobIdentifier=arn)
    desk.bedrock.runner.join(arn)
    job = desk.ask("GetModelCustomizationJob", jobIdentifier=arn)
    assert job["status"] == "Stopped"
    assert job["statusDetails"]["trainingDetails"]["status"] == "Stopped"
    assert child.returncode != 0
    assert desk.ask("ListCustomModels") == {"modelSummaries": []}


def test_stop_before_training_starts_no_training(desk):
    """Stopped in its first stage, the job never gets to the others."""

    def stop():
        desk.ask("StopModelCustomizationJob", jobIdentifier="job-1")
        assert desk.ask("GetModelCustomizationJob", jobIdentifier="job-1")["status"] == "Stopping"

    desk.on_wait = stop
    job = desk.run_job()
    assert job["status"] == "Stopped"
    assert [job["statusDetails"][stage]["status"] for stage in STAGES] == [
        "Stopped",
        "NotStarted",
        "NotStarted",
    ]
    assert job["endTime"] == job["lastModifiedTime"]


@pytest.mark.parametrize(("setting", "stage"), [(name, stage) for stage, name in STAGES.items()])
def test_job_when_set_to_fail_at_a_stage_fails_there_with_the_message(desk, setting, stage):
    """A teacher decides where a job fails and what it says."""
    desk.change(fail_stage=setting, fail_message="The data were too dull.")
    job = desk.run_job()
    assert (job["status"], job["failureMessage"]) == ("Failed", "The data were too dull.")
    assert job["statusDetails"][stage]["status"] == "Failed"
    assert desk.ask("ListCustomModels") == {"modelSummaries": []}


@pytest.mark.parametrize(("setting", "stage"), [(name, stage) for stage, name in STAGES.items()])
def test_job_when_set_to_stick_stays_in_the_stage_until_let_go(desk, setting, stage):
    """The stage stays in progress until the setting is changed; then the job continues."""

    def look():
        stuck = [job for job in desk.seen if job["statusDetails"][stage]["status"] == "InProgress"]
        if len(stuck) == 20:
            desk.change(stick_stage="")

    desk.change(stick_stage=setting)
    desk.on_wait = look
    assert desk.run_job()["status"] == "Completed"
    assert len([j for j in desk.seen if j["statusDetails"][stage]["status"] == "InProgress"]) >= 20


def test_stop_when_the_job_sticks_stops_it(desk):
    """A job that sticks can be stopped like any other."""
    desk.change(stick_stage="data_processing")
    desk.on_wait = lambda: (
        desk.seen[-1]["statusDetails"]["dataProcessingDetails"]["status"] == "InProgress"
        and desk.seen[-1]["status"] == "InProgress"
        and desk.ask("StopModelCustomizationJob", jobIdentifier="job-1")
    )
    assert desk.run_job()["status"] == "Stopped"


def test_third_job_waits_until_one_of_two_trainings_is_over(desk, records):
    """Two train at once; the third begins when one of them has ended."""
    desk.store.objects["data", "training/train.jsonl"] = records(40, "hang")
    first, second = desk.create_job("job-1"), desk.create_job("job-2")
    wait_for_child(desk, first)
    wait_for_child(desk, second)
    third = desk.create_job("job-3")
    desk.bedrock.runner.join(third, 0.3)
    assert third not in desk.bedrock.runner._children
    desk.ask("StopModelCustomizationJob", jobIdentifier=first)
    wait_for_child(desk, third)


def test_stop_when_job_is_over_is_a_conflict(desk):
    """Only a job in progress can be stopped."""
    job = desk.run_job()
    with pytest.raises(ServiceError) as caught:
        desk.ask("StopModelCustomizationJob", jobIdentifier=job["jobName"])
    assert caught.value.code == "ConflictException"


def test_close_ends_the_children_of_running_jobs(desk, records):
    """When the server goes no training is left behind."""
    desk.store.objects["data", "training/train.jsonl"] = records(40, "hang")
    arn = desk.create_job()
    wait_for_child(desk, arn)
    child = desk.bedrock.runner._children[arn]
    assert desk.bedrock.runner.running == 1
    desk.bedrock.runner.close()
    assert child.poll() is not None
    assert desk.bedrock.runner.running == 0


def test_get_when_job_is_unknown_is_not_found(desk):
    """An unknown name is a 404, and so is a job of another Region."""
    arn = desk.create_job()
    for identifier, region in [("nobody", "us-west-2"), (arn, "us-east-1")]:
        with pytest.raises(ServiceError) as caught:
            desk.ask("GetModelCustomizationJob", jobIdentifier=identifier, region=region)
        assert caught.value.code == "ResourceNotFoundException"


def test_list_when_filtered_by_status_and_name_shows_those(desk):
    """Both statusEquals and nameContains narrow the list together."""
    desk.run_job("good-1")
    desk.store.denied = {"s3:GetObject"}
    desk.run_job("bad-1")

    def names(**filters):
        found = desk.ask("ListModelCustomizationJobs", **filters)
        return [job["jobName"] for job in found["modelCustomizationJobSummaries"]]

    assert names() == ["bad-1", "good-1"]
    assert names(statusEquals="Failed") == ["bad-1"]
    assert names(nameContains="good") == ["good-1"]
    assert names(nameContains="good", statusEquals="Failed") == []


def test_create_with_kms_key_id_reports_its_arn(desk):
    """A bare key id comes back as the key's ARN, on job and model."""
    key = "12345678-1234-1234-1234-123456789012"
    job = desk.run_job(customModelKmsKeyId=key)
    arn = f"arn:aws:kms:us-west-2:123456789012:key/{key}"
    assert job["outputModelKmsKeyArn"] == arn
    model = desk.ask("GetCustomModel", modelIdentifier=job["outputModelArn"])
    assert model["modelKmsKeyArn"] == arn


def test_create_with_kms_alias_reports_the_keys_arn(desk):
    """An alias is looked up in the job's Region; one that names no key is refused."""
    arn = "arn:aws:kms:us-west-2:123456789012:key/12345678-1234-1234-1234-123456789012"
    desk.store.keys = {"alias/models": arn}
    assert desk.run_job(customModelKmsKeyId="alias/models")["outputModelKmsKeyArn"] == arn
    code, message = refusal(desk, customModelKmsKeyId="alias/none")
    assert (code, message) == (
        "ValidationException",
        "There is no KMS key alias/none in us-west-2.",
    )


def wait_for_child(desk, arn):
    """Wait until the job's child process is there; gives up after ten seconds."""
    for _ in range(1000):
        if arn in desk.bedrock.runner._children:
            return
        desk.bedrock.runner.join(arn, 0.01)
    raise AssertionError("no child process after ten seconds")


def test_job_when_novas_batch_size_is_1_is_taken_and_reported(desk):
    """As four notebooks of AWS's send it; another value is refused with that reason."""
    desk.store.objects["data", "training/train.jsonl"] = conversations(8)
    desk.store.objects["data", "validation/validation.jsonl"] = conversations(8, "Has it left?")
    job = run_in_the_east(desk, NOVA_MICRO, hyperParameters={"epochCount": "1", "batchSize": "1"})
    assert job["status"] == "Completed"
    assert job["hyperParameters"]["batchSize"] == "1"
    asked = {"region": EAST, "baseModelIdentifier": NOVA_MICRO}
    with pytest.raises(ServiceError, match='AWS\'s own notebooks send "1"') as refused:
        desk.create_job("job-2", **asked, hyperParameters={"batchSize": "8"})
    assert refused.value.code == "ValidationException"
