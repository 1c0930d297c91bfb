"""What is done in trials that strike the run itself: killed, interrupted, cut off, refused."""

from collections.abc import Callable
from threading import Timer

from bench import Bench, Done
from calls import DELETE_THROUGHPUT, GET_JOB, GET_THROUGHPUT, WHO_AM_I
from proxy import CUT, UNANSWERED, Reply, answer_with, cut
from states import ON_AWS, SERVE, TUNE

Act = Callable[[Bench], None]
Go = Callable[[Bench], Done]
KEEP = ("--keep-serving",)
EXPIRED = "ExpiredTokenException"


def tune(bench: Bench) -> Done:
    """Run notebook 3, which may pay for a job."""
    return bench.haikuft("run", *ON_AWS, *TUNE)


def serve(bench: Bench) -> Done:
    """Run notebook 5, which may pay for throughput or a deployment, and keep what serves."""
    return bench.haikuft("run", *ON_AWS, *SERVE, *KEEP)


def clean_up(bench: Bench) -> Done:
    """Run the clean-up, as the last lines name it."""
    return bench.haikuft("clean-up", *ON_AWS[:2])


def end_by_named_command(bench: Bench, done: Done, *, ends: tuple[str, ...]) -> None:
    """Run the command that the last lines name, and expect that it ends these kinds.

    Where it asks, and there is no terminal to answer on, it is told --yes as it says.
    """
    named = done.named_command
    bench.expect(bool(named), "the last lines name no command that ends what bills")
    if not named:
        return
    ended = bench.haikuft(*named)
    if ended.status and "--yes" in ended.text:
        bench.haikuft(*named, "--yes")
    for kind in ends:
        left = [thing.name for thing in bench.ours(kind) if thing.bills]
        bench.expect(not left, f"the named command left {kind} {', '.join(left)}")


def killed(call: str, when: str, go: Go) -> Act:
    """Kill run and kernel at a call, then run again."""

    def act(bench: Bench) -> None:
        bench.proxy.strike(call, bench.kill, when=when)
        bench.expect(go(bench).status == -9, "the run was not killed")
        bench.expect_done(go(bench), "the run after the kill")

    return act


def run_killed(call: str, go: Go) -> Act:
    """Kill the run alone as a call is answered, then run again beside its kernel."""

    def act(bench: Bench) -> None:
        bench.proxy.strike(call, bench.kill_run, when=UNANSWERED)
        bench.expect(go(bench).status == -9, "the run was not killed")
        bench.expect_done(go(bench), "the run after the kill")

    return act


def interrupted_wait(*, twice: bool) -> Act:
    """Press Ctrl-C as notebook 3 waits; the second time as the last lines are looked up."""

    def act(bench: Bench) -> None:
        bench.configure(stick_stage="training")
        bench.proxy.strike(GET_JOB, _interrupt(bench, WHO_AM_I if twice else ""), nth=3)
        bench.expect(tune(bench).status == 130, "the interrupted run did not end with 130")
        bench.configure(stick_stage="")
        bench.expect_done(tune(bench), "the run after Ctrl-C")

    return act


def interrupted_serving(bench: Bench) -> None:
    """Press Ctrl-C as notebook 5 waits for the throughput that it has bought."""
    bench.configure(stage_seconds=3600.0)
    bench.proxy.strike(GET_THROUGHPUT, bench.interrupt, nth=2)
    done = bench.haikuft("run", *ON_AWS, *SERVE)
    bench.expect(done.status == 130, "the interrupted run did not end with 130")
    bench.expect(not bench.ours("throughput"), "the throughput was left, without --keep-serving")


def interrupted_serving_twice(bench: Bench) -> None:
    """Press Ctrl-C in notebook 5, and again as the run deletes what it has bought."""
    bench.configure(stage_seconds=3600.0)

    def first(_: Reply | None) -> None:
        bench.proxy.strike(DELETE_THROUGHPUT, bench.interrupt_and_hold)
        bench.interrupt()

    bench.proxy.strike(GET_THROUGHPUT, first, nth=2)
    done = bench.haikuft("run", *ON_AWS, *SERVE)
    bench.expect(len(bench.ours("throughput")) == 1, "a deletion was made that was interrupted")
    end_by_named_command(bench, done, ends=("throughput", "model"))


def interrupted_deletion(*, twice: bool) -> Act:
    """Press Ctrl-C as the clean-up deletes throughput; again as the last lines are looked up."""

    def act(bench: Bench) -> None:
        def deed(_: Reply | None) -> Reply:
            if twice:
                bench.proxy.strike(WHO_AM_I, lambda _: bench.interrupt())
            return bench.interrupt_and_hold()

        bench.proxy.strike(DELETE_THROUGHPUT, deed)
        done = clean_up(bench)
        bench.expect(done.status == 130, "the interrupted clean-up did not end with 130")
        bench.expect(len(bench.ours("throughput")) == 1, "a deletion was made that was interrupted")
        end_by_named_command(bench, done, ends=("throughput", "model", "bucket"))

    return act


def lost(call: str, go: Go, *, seconds: float, when: str = UNANSWERED) -> Act:
    """Lose the network at a call for some seconds; run again if the run did not bear it."""

    def act(bench: Bench) -> None:
        def deed(_: Reply | None) -> Reply:
            bench.proxy.lose_network()
            back = Timer(seconds, bench.proxy.find_network)
            back.daemon = True
            back.start()
            return CUT

        bench.proxy.strike(call, deed, when=when)
        done = go(bench)
        if done.status:
            bench.wait_for(lambda: not bench.proxy.lost, "the network")
            bench.expect_done(go(bench), "the run after the network came back")

    return act


def lost_for_good(call: str, go: Go, *, nth: int = 1) -> Act:
    """Lose the network at a call for good; when the run has given up, bring it back, run again."""

    def act(bench: Bench) -> None:
        def deed(_: Reply | None) -> Reply:
            bench.proxy.lose_network()
            return CUT

        bench.configure(stick_stage="training")
        bench.unreadable = True
        bench.proxy.strike(call, deed, when=UNANSWERED, nth=nth)
        bench.expect(go(bench).status == 1, "a run without a network did not end with 1")
        bench.unreadable = False
        bench.configure(stick_stage="")
        bench.proxy.find_network()
        bench.expect_done(go(bench), "the run after the network came back")

    return act


def cut_once(call: str, go: Go) -> Act:
    """Cut the connection once, after the call was carried out and before it is answered."""

    def act(bench: Bench) -> None:
        bench.proxy.strike(call, cut, when=UNANSWERED)
        bench.expect_done(go(bench), "the run whose connection was cut once")

    return act


def refused_once(call: str, code: str, when: str, go: Go) -> Act:
    """Answer one call with an error that goes by itself."""

    def act(bench: Bench) -> None:
        bench.proxy.strike(call, answer_with(code), when=when)
        bench.expect_done(go(bench), f"the run that saw {code} once")

    return act


def refused_for_good(call: str, code: str, when: str, go: Go) -> Act:
    """Answer each such call with an error until the run gives up; then run again without."""

    def act(bench: Bench) -> None:
        bench.configure(stick_stage="training")
        bench.proxy.strike(call, answer_with(code), when=when, forever=True)
        bench.expect(go(bench).status == 1, f"a run that saw only {code} did not end with 1")
        bench.proxy.strikes.clear()
        bench.configure(stick_stage="")
        bench.expect_done(go(bench), f"the run after {code}")

    return act


def expired(call: str, go: Go, *, nth: int = 1) -> Act:
    """Let the credentials run out as a call is answered; then log in and run again."""

    def act(bench: Bench) -> None:
        def deed(_: Reply | None) -> str:
            bench.proxy.strike(r"^", answer_with(EXPIRED), forever=True)
            return EXPIRED

        bench.configure(stick_stage="training")
        bench.unreadable = True
        bench.proxy.strike(call, deed, when=UNANSWERED, nth=nth)
        done = go(bench)
        bench.expect(done.status == 1, "a run without credentials did not end with 1")
        bench.expect("Log in again" in done.text, "nothing says to log in again")
        bench.unreadable = False
        bench.proxy.strikes.clear()
        bench.configure(stick_stage="")
        bench.expect_done(go(bench), "the run after the login")

    return act


def _interrupt(bench: Bench, then_at: str) -> Callable[[Reply | None], None]:
    """Make a deed that presses Ctrl-C, and once more at the next call of that kind."""

    def deed(_: Reply | None) -> None:
        if then_at:
            bench.proxy.strike(then_at, lambda _: bench.interrupt())
        bench.interrupt()

    return deed
