"""The table of trials of ownership and money."""

from functools import partial

import acts_clean_up as cleaning
import acts_paid as paid
import acts_people as people
import acts_records as records
from acts_paid import Act, serve, tune
from calls import CREATE_DEPLOYMENT, CREATE_JOB, CREATE_THROUGHPUT, DENIED, GET_JOB
from carrying_out import Trial
from proxy import ANSWERED, BEFORE, UNANSWERED
from states import DATA, EMPTY, MODEL, NOVA_MODEL, RUNNING, SERVING


def _kills() -> list[Trial]:
    """SIGKILL of run and kernel around each paid call, and of the run alone."""
    paid_calls = [
        ("job", CREATE_JOB, DATA, tune),
        ("throughput", CREATE_THROUGHPUT, MODEL, serve),
        ("deployment", CREATE_DEPLOYMENT, NOVA_MODEL, serve),
    ]
    moments = {
        BEFORE: "before it is carried out",
        UNANSWERED: "when it is carried out, before it is answered",
        ANSWERED: "as it is answered",
    }
    made = []
    for bought, call, begins, go in paid_calls:
        for when, words in moments.items():
            name = f"create {bought}: run and kernel killed {words}; run again"
            quick = (bought, when) == ("job", UNANSWERED)
            act = paid.killed(call, when, go)
            made.append(Trial(name, "kill", begins, act, quick=quick, **{bought: 1}))
    for bought, call, begins, go in paid_calls[:2]:
        name = f"create {bought}: the run alone killed before the answer; run again"
        made.append(Trial(name, "kill", begins, paid.run_killed(call, go), **{bought: 1}))
    return made


def _interrupts() -> list[Trial]:
    """Ctrl-C once and twice: in a wait, after a purchase, during a deletion."""
    rows: list[tuple[str, str, Act, dict[str, int]]] = [
        ("in notebook 3's wait; run again", DATA, paid.interrupted_wait(twice=False), {"job": 1}),
        (
            "in notebook 3's wait and in the last lines; run again",
            DATA,
            paid.interrupted_wait(twice=True),
            {"job": 1},
        ),
        ("in notebook 5 after the purchase", MODEL, paid.interrupted_serving, {"throughput": 1}),
        (
            "in notebook 5 after the purchase and in the deletion; end it as told",
            MODEL,
            paid.interrupted_serving_twice,
            {"throughput": 1},
        ),
        (
            "in the clean-up's deletion; as told",
            SERVING,
            paid.interrupted_deletion(twice=False),
            {},
        ),
        (
            "in the clean-up's deletion and in the last lines; end it as told",
            SERVING,
            paid.interrupted_deletion(twice=True),
            {},
        ),
    ]
    return [
        Trial(f"Ctrl-C {name}", "Ctrl-C", begins, act, quick=number == 3, **bought)
        for number, (name, begins, act, bought) in enumerate(rows)
    ]


def _around_purchases(
    kind: str, jobs: dict[str, Act], throughputs: dict[str, Act], *, quick: str
) -> list[Trial]:
    """Make trials, name -> act, in which one job is bought, and in which one throughput is."""
    return [
        *(Trial(name, kind, DATA, act, job=1, quick=name == quick) for name, act in jobs.items()),
        *(
            Trial(name, kind, MODEL, act, throughput=1, quick=name == quick)
            for name, act in throughputs.items()
        ),
    ]


def _network() -> list[Trial]:
    """The network lost, for a time and for good."""
    lost, cut, for_good = partial(paid.lost, seconds=30.0), paid.cut_once, paid.lost_for_good
    briefly = "network lost for 2 s as create throughput is answered"
    again = "network lost for good {}; run again".format
    return _around_purchases(
        "network",
        {
            "network connection cut once as create job is answered": cut(CREATE_JOB, tune),
            "network lost for 30 s before create job": lost(CREATE_JOB, tune, when=BEFORE),
            "network lost for 30 s as create job is answered": lost(CREATE_JOB, tune),
            "network lost for 30 s in notebook 3's wait": lost(GET_JOB, tune),
            again("as create job is answered"): for_good(CREATE_JOB, tune),
            again("in notebook 3's wait"): for_good(GET_JOB, tune, nth=3),
        },
        {
            briefly: paid.lost(CREATE_THROUGHPUT, serve, seconds=2.0),
            "network lost for 30 s as create throughput is answered": lost(
                CREATE_THROUGHPUT, serve
            ),
            again("as create throughput is answered"): for_good(CREATE_THROUGHPUT, serve),
        },
        quick=briefly,
    )


def _faults() -> list[Trial]:
    """Throttling, internal errors and expired credentials at a paid call."""
    once, for_good, expired = paid.refused_once, paid.refused_for_good, paid.expired
    throttled = ("ThrottlingException", BEFORE)
    failed = ("InternalServerException", UNANSWERED)
    answered_500 = "create job carried out and answered with 500 once"
    again = "{}; run again".format
    return _around_purchases(
        "fault",
        {
            "create job throttled once": once(CREATE_JOB, *throttled, tune),
            answered_500: once(CREATE_JOB, *failed, tune),
            again("create job carried out and answered with 500 for good"): for_good(
                CREATE_JOB, *failed, tune
            ),
            again("credentials expired as create job is answered"): expired(CREATE_JOB, tune),
            again("credentials expired in notebook 3's wait"): expired(GET_JOB, tune, nth=3),
        },
        {
            again("create throughput throttled for good"): for_good(
                CREATE_THROUGHPUT, *throttled, serve
            ),
            again("create throughput carried out and answered with 500 for good"): for_good(
                CREATE_THROUGHPUT, *failed, serve
            ),
            again("credentials expired as create throughput is answered"): expired(
                CREATE_THROUGHPUT, serve
            ),
        },
        quick=answered_500,
    )


def _records() -> list[Trial]:
    """The record lost, cut, older, or copied with its folder."""
    rows: list[tuple[str, str, Act]] = [
        (
            "lost while the job runs; notebooks 1 to 3 again",
            RUNNING,
            records.lost_then_again(running=True),
        ),
        (
            "lost after training; notebooks 1 to 3 again",
            MODEL,
            records.lost_then_again(running=False),
        ),
        ("lost while the job runs; clean-up, then as told", RUNNING, records.lost_then_ended),
        ("lost after training; clean-up, then as told", MODEL, records.lost_then_ended),
        ("lost while a throughput runs; clean-up, then as told", SERVING, records.lost_then_ended),
        ("lost; clean-up on a terminal, answered y", SERVING, records.lost_then_asked("y")),
        ("lost; clean-up on a terminal, answered n", SERVING, records.lost_then_asked("n")),
        (
            "lost in another Region than the default; notebook 1, then as told",
            NOVA_MODEL,
            records.lost_in_another_region,
        ),
        (
            "lost in another Region than the default; clean-up, then as told",
            NOVA_MODEL,
            records.lost_then_ended,
        ),
        ("cut while a throughput runs; clean-up, then as told", SERVING, records.cut_then_ended),
        ("cut while a throughput runs; notebook 5 again", SERVING, records.cut_then_run),
        ("older, without owner id; notebooks 1 and 3 again", MODEL, records.older_then_run),
        (
            "older, without owner id, while a throughput runs; clean-up",
            SERVING,
            records.older_then_ended,
        ),
        ("older, without owner id, then lost; clean-up", SERVING, records.older_then_lost),
        ("copied with its folder; notebook 5 of the copy", MODEL, records.copied_then_run),
        ("copied with its folder; clean-up of the copy", SERVING, records.copied_then_ended),
    ]
    return [
        Trial(f"record {name}", "record", begins, act, quick=number == 4)
        for number, (name, begins, act) in enumerate(rows)
    ]


def _terminals() -> list[Trial]:
    """Two terminals that come to one paid call before either is carried out."""
    made = []
    for apart, second in ((False, "the same second"), (True, "different seconds")):
        for other, words in ((False, "the same"), (True, "other")):
            name = f"two terminals plan a job in {second}, with {words} hyperparameters"
            act = people.terminals_tune(apart=apart, other=other)
            quick = apart and not other
            made.append(Trial(name, "two terminals", DATA, act, job=1, quick=quick))
    name = "two terminals create a throughput"
    return [*made, Trial(name, "two terminals", MODEL, people.terminals_serve, throughput=1)]


def _people() -> list[Trial]:
    """Two people with one run name."""
    kind = "two people"
    return [
        Trial(
            "another person begins a run of the same name",
            kind,
            SERVING,
            people.another_person_begins,
            quick=True,
        ),
        Trial(
            "another person cleans up a run of the same name",
            kind,
            SERVING,
            people.another_person_cleans_up,
        ),
        Trial(
            "two people begin runs of one name at the same moment",
            kind,
            EMPTY,
            people.two_people_at_once,
        ),
        Trial(
            "two people begin one run in one folder at once, a sandbox each",
            kind,
            EMPTY,
            people.one_folder_two_sandboxes,
        ),
    ]


def _strangers() -> list[Trial]:
    """A stranger's things with our name, and tags that may not be read."""
    marks = {
        "untagged": people.UNTAGGED,
        "with our run's tag and no owner": people.OLDER,
        "with our run's tag and another owner": people.THEIRS,
    }
    made = []
    for words, tags in marks.items():
        for act, name in (
            (people.stranger_has_the_name(tags, exact=True), "has the run's very name; serve"),
            (people.stranger_beside_clean_up(tags), "is named alike; clean-up"),
        ):
            serving = "serve" in name
            made.append(
                Trial(
                    f"a stranger's throughput, {words}, {name}",
                    "stranger",
                    MODEL if serving else SERVING,
                    act,
                    throughput=int(serving),
                    at_most=True,
                    quick=serving and not tags,
                )
            )
    for words, tags in marks.items():
        for what, act in (
            ("bucket", people.stranger_has_the_bucket(tags)),
            ("role", people.stranger_has_the_role(tags)),
        ):
            name = f"a stranger's {what}, {words}, has the run's; notebook 1, clean-up"
            made.append(Trial(name, "stranger", EMPTY, act))
    unread = [
        (
            "a stranger's throughput beside the run's; clean-up",
            SERVING,
            people.tags_unreadable_at_clean_up,
        ),
        ("a throughput named alike; serve", MODEL, people.tags_unreadable_at_serving),
    ]
    return made + [
        Trial(f"tags unreadable, {name}", "tags unreadable", begins, act, quick=begins == SERVING)
        for name, begins, act in unread
    ]


def _clean_ups() -> list[Trial]:
    """Calls denied one by one, and the clean-up of what is on the move."""
    made = [
        Trial(
            f"{what} of {kind} denied; clean-up, then as told",
            "denied",
            RUNNING if kind == "job" else SERVING,
            cleaning.denied(kind, what),
            quick=(kind, what) == ("throughput", "list"),
        )
        for kind, whats in DENIED.items()
        for what in whats
    ]
    moving: list[tuple[str, str, Act, int, int]] = [
        ("a throughput is Creating", MODEL, cleaning.while_creating, 0, 1),
        ("a throughput is Updating", SERVING, cleaning.while_updating, 0, 0),
        ("the job runs", RUNNING, cleaning.while_running, 0, 0),
        ("the job is Stopping", RUNNING, cleaning.while_stopping, 0, 0),
        ("the job has Failed", DATA, cleaning.after_failure, 1, 0),
        ("a throughput is committed for a month", MODEL, cleaning.with_a_term, 0, 1),
    ]
    return made + [
        Trial(
            f"clean-up while {name}",
            "clean-up",
            begins,
            act,
            jobs,
            throughputs,
            quick=begins == SERVING,
        )
        for name, begins, act, jobs, throughputs in moving
    ]


TRIALS: tuple[Trial, ...] = (
    *_kills(),
    *_interrupts(),
    *_network(),
    *_faults(),
    *_records(),
    *_terminals(),
    *_people(),
    *_strangers(),
    *_clean_ups(),
)
