"""What is done in trials of a record that is lost, cut, older or copied."""

import json
import re
import shutil

from acts_paid import Act, clean_up, end_by_named_command, serve, tune
from bench import RUN, Bench, Done
from calls import CREATE_JOB
from states import ON_AWS, SHARES, TUNE, write_dataset

_NEWER = ("owner", "job_attempt", "deployment_attempt", "throughput_attempt")
_OWNER_TAG = "haikuft:owner"


def lost_then_again(*, running: bool) -> Act:
    """Lose the record, and take notebooks 1 to 3 again, with the owner id that notebook 1 names.

    A program without owner ids names none, and is expected to find the job by itself.
    """

    def act(bench: Bench) -> None:
        bench.record_path().unlink()
        dataset = str(write_dataset(bench.folder / "records"))
        again = ("run", *ON_AWS, "--dataset", dataset, *SHARES, "--to", "3", *TUNE[4:])
        if running:
            bench.proxy.strike(CREATE_JOB, lambda _: bench.configure(stick_stage=""))
        done = bench.haikuft(*again)
        owner = re.search(r'owner = "([0-9a-f]+)"', done.text)
        if running:
            bench.configure(stick_stage="")
        if done.status:
            bench.expect(owner is not None, "notebook 1 names no owner id to take the run up again")
        if owner:
            done = bench.haikuft(*again, "-p", "owner", owner.group(1))
        bench.expect_done(done, "notebooks 1 to 3 after the record was lost")

    return act


def lost_then_ended(bench: Bench) -> None:
    """Lose the record, ask for the clean-up, and run the command that its last lines name."""
    bench.record_path().unlink()
    _end(bench, bench.haikuft("clean-up", *ON_AWS))


def lost_then_asked(answer: str) -> Act:
    """Lose the record, and answer the clean-up's question on a terminal."""

    def act(bench: Bench) -> None:
        bench.record_path().unlink()
        before = set(bench.held())
        bench.on_terminal(answer, "clean-up", *ON_AWS)
        if answer == "y":
            left = [thing.name for thing in bench.held().values() if thing.bills]
            bench.expect(not left, f"the clean-up left {', '.join(left)}")
        else:
            bench.expect(set(bench.held()) == before, "something was deleted without a yes")

    return act


def lost_in_another_region(bench: Bench) -> None:
    """Lose the record of a run in another Region than the default base model's."""
    base_model_id = bench.record()["base_model_id"]
    bench.record_path().unlink()
    _end(bench, bench.haikuft("run", *ON_AWS, "--to", "1", "-p", "base_model_id", base_model_id))


def cut_then_ended(bench: Bench) -> None:
    """Cut the record's text in the middle, ask for the clean-up, run the command it names."""
    text = bench.record_path().read_text("utf-8")
    bench.record_path().write_text(text[: len(text) // 2], "utf-8")
    _end(bench, bench.haikuft("clean-up", *ON_AWS))


def cut_then_run(bench: Bench) -> None:
    """Cut the record's text, and run notebook 5 as before."""
    text = bench.record_path().read_text("utf-8")
    bench.record_path().write_text(text[: len(text) // 2], "utf-8")
    done = serve(bench)
    bench.expect(done.status == 1, "a run with a record that is cut did not end with 1")


def older_then_run(bench: Bench) -> None:
    """Take a record and things from before there were owner ids, and run notebooks 1 and 3."""
    _make_older(bench)
    bench.expect_done(bench.haikuft("run", *ON_AWS, "--to", "1"), "notebook 1 with an older record")
    bench.expect_done(tune(bench), "notebook 3 with an older record")


def older_then_ended(bench: Bench) -> None:
    """Take a record and things from before there were owner ids, and clean up."""
    _make_older(bench)
    clean_up(bench)
    for kind in ("throughput", "model", "bucket", "role"):
        bench.expect(not bench.ours(kind), f"the clean-up with an older record left the {kind}")


def older_then_lost(bench: Bench) -> None:
    """Take things from before there were owner ids, lose the record, and ask for the clean-up."""
    _make_older(bench)
    bench.record_path().unlink()
    done = bench.haikuft("clean-up", *ON_AWS, check=False)
    bench.expect("Billing now: nothing" not in done.text, "says that nothing bills")
    for thing in bench.held().values():
        bench.expect(not thing.bills or thing.name in done.text, f"leaves out {thing.name}")


def copied_then_run(bench: Bench) -> None:
    """Copy the run's folder, and let the copy serve."""
    bench.mark_others()
    _copy_run(bench)
    done = bench.haikuft("run", "--run", "copy", "--target", "aws", *_serving())
    bench.expect(done.status == 1, "a run from a copied folder did not end with 1")


def copied_then_ended(bench: Bench) -> None:
    """Copy the run's folder, and clean the copy up."""
    bench.mark_others()
    _copy_run(bench)
    done = bench.haikuft("clean-up", "--run", "copy")
    bench.expect(done.status != 0, "a clean-up from a copied folder was not refused")


def _end(bench: Bench, done: Done) -> None:
    bench.configure(stick_stage="")
    end_by_named_command(bench, done, ends=("throughput", "job", "model"))


def _serving() -> tuple[str, ...]:
    return ("--from", "5", "--to", "5", "-p", "allow_charges", "true", "--keep-serving")


def _copy_run(bench: Bench) -> None:
    shutil.copytree(bench.root / "runs" / RUN, bench.root / "runs" / "copy")


def _make_older(bench: Bench) -> None:
    """Take away what a program without owner ids would not have written."""
    path = bench.record_path()
    record = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in _NEWER}), "utf-8")
    bedrock, s3, iam = (bench.client(name) for name in ("bedrock", "s3", "iam"))
    for thing in bench.held().values():
        if thing.kind == "bucket":
            tags = s3.get_bucket_tagging(Bucket=thing.name)["TagSet"]
            kept = [tag for tag in tags if tag["Key"] != _OWNER_TAG]
            s3.put_bucket_tagging(Bucket=thing.name, Tagging={"TagSet": kept})
        elif thing.kind == "role":
            iam.untag_role(RoleName=thing.name, TagKeys=[_OWNER_TAG])
        else:
            bedrock.untag_resource(resourceARN=thing.arn, tagKeys=[_OWNER_TAG])
