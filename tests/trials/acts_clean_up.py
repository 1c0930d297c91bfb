"""What is done in trials of the clean-up: something is denied, or things are on the move."""

from acts_paid import Act, clean_up, end_by_named_command, serve, tune
from bench import Bench
from calls import DENIED, GET_JOB, GET_THROUGHPUT
from proxy import Reply, answer_with
from states import ON_AWS, SERVE

from haikuft.base_models import CLAUDE_3_HAIKU

ENDED = ("throughput", "model", "bucket", "job")
COMMITTED = ("-p", "commitment", "1 month", "-p", "allow_commitment", "true")


def denied(kind: str, what: str) -> Act:
    """Deny one call about one kind of thing, clean up; then allow it and end what is left.

    Where no list may be had, there may be more than the record names, so nobody knows that
    nothing bills; what a get refuses to tell, a list and the tags may.
    """

    def act(bench: Bench) -> None:
        call = DENIED[kind][what]
        bench.proxy.strike(call, answer_with("AccessDeniedException"), forever=True)
        bench.unreadable = what == "list"
        done = clean_up(bench)
        bench.proxy.strikes.clear()
        bench.unreadable = False
        if any(thing.bills for kind in ENDED for thing in bench.ours(kind)):
            end_by_named_command(bench, done, ends=ENDED)

    return act


def while_creating(bench: Bench) -> None:
    """Clean up while throughput is Creating."""
    bench.configure(stage_seconds=3600.0)
    bench.proxy.strike(GET_THROUGHPUT, bench.interrupt, nth=2)
    bench.expect(serve(bench).status == 130, "the interrupted run did not end with 130")
    _clean_up_all(bench)


def while_updating(bench: Bench) -> None:
    """Clean up while throughput is Updating, when AWS refuses to delete it."""
    bench.configure(stage_seconds=3600.0)
    (throughput,) = bench.ours("throughput")
    bench.client("bedrock").update_provisioned_model_throughput(
        provisionedModelId=throughput.arn, desiredModelId=CLAUDE_3_HAIKU.id
    )
    clean_up(bench)
    left = [thing.status for thing in bench.ours("throughput")]
    bench.expect(left == ["Updating"], f"the throughput is {left}")


def while_running(bench: Bench) -> None:
    """Clean up while the job runs."""
    _clean_up_all(bench)
    statuses = [thing.status for thing in bench.ours("job")]
    bench.expect(statuses == ["Stopped"], f"the job is {statuses}, not Stopped")


def while_stopping(bench: Bench) -> None:
    """Clean up while the job is Stopping, as AWS says for a while after it was stopped."""
    (job,) = bench.ours("job")
    bedrock = bench.client("bedrock")
    bedrock.stop_model_customization_job(jobIdentifier=job.arn)
    bench.wait_for(lambda: bench.ours("job")[0].status == "Stopped", "the stopped job")

    def deed(reply: Reply | None) -> Reply | None:
        if reply is None:
            return None
        body = reply.body.replace(b'"Stopped"', b'"Stopping"')
        return Reply(reply.status, reply.headers, body)

    for nth in range(1, 5):
        bench.proxy.strike(GET_JOB, deed, when="unanswered", nth=nth)
    _clean_up_all(bench)


def after_failure(bench: Bench) -> None:
    """Clean up after the job failed."""
    bench.configure(fail_stage="training")
    bench.expect(tune(bench).status == 1, "a run whose job failed did not end with 1")
    _clean_up_all(bench)


def with_a_term(bench: Bench) -> None:
    """Clean up while throughput is committed for a month, which AWS does not end before."""
    done = bench.haikuft("run", *ON_AWS, *SERVE, *COMMITTED)
    bench.expect_done(done, "the run with a commitment")
    clean_up(bench)
    bench.expect(len(bench.ours("throughput")) == 1, "a committed throughput is gone")


def _clean_up_all(bench: Bench) -> None:
    done = clean_up(bench)
    bench.expect_done(done, "the clean-up")
    for kind in ENDED:
        left = [thing.name for thing in bench.ours(kind) if thing.bills]
        bench.expect(not left, f"the clean-up left {kind} {', '.join(left)}")
