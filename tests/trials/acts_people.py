"""What is done in trials with more than one at work: terminals, people, strangers' things."""

import json
from pathlib import Path
from threading import Event

from acts_paid import KEEP, Act, clean_up, serve
from bench import RUN, Bench, Command, copy_project
from calls import CREATE_JOB, CREATE_THROUGHPUT, FIND_BUCKET, READ_TAGS, WHO_AM_I
from proxy import Strike, answer_with, open_proxy
from states import ON_AWS, SERVE, TUNE

import haikuft.sandbox
from haikuft.base_models import CLAUDE_3_HAIKU

_OTHER_OWNER = "0123456789abcdef"
THEIRS = {"haikuft:run": RUN, "haikuft:owner": _OTHER_OWNER}
OLDER = {"haikuft:run": RUN}
UNTAGGED: dict[str, str] = {}


def two_terminals(call: str, arguments: tuple[str, ...], *, apart: bool, other: bool) -> Act:
    """Let two terminals come to the same paid call before either is carried out.

    Apart, the second is started when the first has come so far, seconds later; otherwise both
    start at once. The other has other hyperparameters.
    """

    def act(bench: Bench) -> None:
        release = Event()
        strike = bench.proxy.strike(call, bench.hold(release), forever=True)
        # The number of epochs is the only 1 among the arguments.
        more = tuple("2" if word == "1" else word for word in arguments) if other else arguments
        first = bench.start("run", *ON_AWS, *arguments, *KEEP)
        if apart:
            bench.wait_for(
                lambda: strike.seen >= 1 or first.process.poll() is not None,
                "the first terminal's paid call",
            )
        second = bench.start("run", *ON_AWS, *more, *KEEP)
        _release_both(bench, strike, release, [first, second])
        bench.finish(first, check=False)
        bench.finish(second, check=False)
        # Whoever was refused finds it now; with all at rest, the last lines can be held against it.
        came_first = more if other and _epochs(bench) == "2" else arguments
        bench.expect_done(bench.haikuft("run", *ON_AWS, *came_first, *KEEP), "the run after both")

    return act


def terminals_tune(*, apart: bool, other: bool) -> Act:
    """Two terminals in notebook 3."""
    return two_terminals(CREATE_JOB, TUNE, apart=apart, other=other)


def terminals_serve(bench: Bench) -> None:
    """Two terminals in notebook 5."""
    two_terminals(CREATE_THROUGHPUT, SERVE, apart=False, other=False)(bench)


def another_person_begins(bench: Bench) -> None:
    """Another person, in a project of their own, begins a run of the same name."""
    bench.mark_others()
    root = _second_project(bench)
    done = bench.haikuft("run", *ON_AWS, "--to", "1", root=root)
    bench.expect(done.status == 1, f"notebook 1 was not refused: it ended with {done.status}")
    bench.expect(f"{RUN}-2" in done.text, f"no free name such as {RUN}-2 is proposed")


def another_person_cleans_up(bench: Bench) -> None:
    """Another person cleans up a run of that name, of which they have no record."""
    bench.mark_others()
    root = _second_project(bench)
    bench.haikuft("run", *ON_AWS, "--to", "1", root=root, check=False)
    bench.haikuft("clean-up", *ON_AWS, root=root)
    bench.haikuft("clean-up", *ON_AWS, "--yes", root=root)


def two_people_at_once(bench: Bench) -> None:
    """Two people, a project each, begin runs of one name in one account at the same moment."""
    root, release = _second_project(bench), Event()
    strike = bench.proxy.strike(FIND_BUCKET, bench.hold(release), forever=True)
    both = [bench.start("run", *ON_AWS, "--to", "1", root=one) for one in (bench.root, root)]
    _release_both(bench, strike, release, both)
    ended = [bench.finish(one, check=False).status for one in both]
    bench.expect(sorted(ended) == [0, 1], f"they ended with {ended}, not one with 0, one with 1")


def one_folder_two_sandboxes(bench: Bench) -> None:
    """Two people begin one run in one folder at the same moment, with a sandbox each."""
    release = Event()
    state = bench.folder / "second"
    other = haikuft.sandbox.start(state, settings={"stage_seconds": 0.0, "idle_seconds": 600.0})
    try:
        with open_proxy(other.url) as proxy:
            strikes = [one.strike(WHO_AM_I, bench.hold(release)) for one in (bench.proxy, proxy)]
            urls = (bench.proxy.url, proxy.url)
            both = [bench.start("run", *ON_AWS, "--to", "1", url=url) for url in urls]
            bench.wait_for(lambda: all(strike.seen for strike in strikes), "both people")
            release.set()
            ended = [bench.finish(one, check=False).status for one in both]
            bench.expect(sorted(ended) == [0, 1], f"they ended with {ended}, not one refused")
            if 0 in ended:
                begun = bench.record()["endpoint"]
                bench.expect(begun == urls[ended.index(0)], "the record is that of the refused one")
    finally:
        haikuft.sandbox.stop(state)


def stranger_has_the_name(tags: dict[str, str], *, exact: bool) -> Act:
    """A stranger's throughput has the name that the run would give, or one like it; serve."""

    def act(bench: Bench) -> None:
        owner = bench.record().get("owner", "")[:6]
        _plant_throughput(bench, f"haikuft-{RUN}-{owner}".rstrip("-") if exact else _near(), tags)
        bench.haikuft("run", *ON_AWS, *SERVE)

    return act


def stranger_beside_clean_up(tags: dict[str, str]) -> Act:
    """A stranger's throughput stands beside the run's own, its name beginning alike; clean up."""

    def act(bench: Bench) -> None:
        _plant_throughput(bench, _near(), tags)
        clean_up(bench)
        for kind in ("throughput", "model", "bucket"):
            bench.expect(not bench.ours(kind), f"the clean-up left the run's own {kind}")

    return act


def stranger_has_the_bucket(tags: dict[str, str]) -> Act:
    """A stranger's bucket has the name of the run's; begin the run, and clean up."""

    def act(bench: Bench) -> None:
        s3, name = bench.client("s3"), f"haikuft-{RUN}-123456789012-{bench.region}"
        place = {"LocationConstraint": bench.region}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
        s3.put_object(Bucket=name, Key="theirs.txt", Body=b"not yours")
        if tags:
            named = [{"Key": key, "Value": value} for key, value in tags.items()]
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": named})
        _begin_and_end(bench)

    return act


def stranger_has_the_role(tags: dict[str, str]) -> Act:
    """A stranger's role has the name of the run's; begin the run, and clean up."""

    def act(bench: Bench) -> None:
        principal = {"Service": "ec2.amazonaws.com"}
        allowed = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [allowed]}
        bench.client("iam").create_role(
            RoleName=f"AmazonBedrock-haikuft-{RUN}",
            AssumeRolePolicyDocument=json.dumps(trust),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        _begin_and_end(bench)

    return act


def tags_unreadable_at_clean_up(bench: Bench) -> None:
    """Tags may not be read; clean up, with a stranger's throughput beside the run's own."""
    _plant_throughput(bench, _near(), OLDER)
    bench.proxy.strike(READ_TAGS, answer_with("AccessDeniedException"), forever=True)
    bench.unreadable = True
    clean_up(bench)


def tags_unreadable_at_serving(bench: Bench) -> None:
    """Tags may not be read, and a throughput may be the run's own or not; nothing is bought."""
    _plant_throughput(bench, _near(), UNTAGGED)
    bench.proxy.strike(READ_TAGS, answer_with("AccessDeniedException"), forever=True)
    bench.unreadable = True
    bench.expect(serve(bench).status == 1, "a run that may not read tags did not end with 1")


def _release_both(bench: Bench, strike: Strike, release: Event, both: list[Command]) -> None:
    """Let held calls go on as soon as both commands have come to one, or ended before it."""
    bench.wait_for(
        lambda: strike.seen + sum(one.process.poll() is not None for one in both) >= 2,
        "the second of two commands",
    )
    release.set()


def _epochs(bench: Bench) -> str:
    """Read for how many epochs the job that was bought trains."""
    job = bench.client("bedrock").get_model_customization_job(
        jobIdentifier=bench.ours("job")[0].arn
    )
    return str(job["hyperParameters"]["epochCount"])


def _near() -> str:
    return f"haikuft-{RUN}-zz"


def _second_project(bench: Bench) -> Path:
    root = bench.folder / "second-project"
    copy_project(root)
    return root


def _plant_throughput(bench: Bench, name: str, tags: dict[str, str]) -> None:
    made = bench.client("bedrock").create_provisioned_model_throughput(
        provisionedModelName=name,
        modelId=CLAUDE_3_HAIKU.id,
        modelUnits=1,
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )
    arn = made["provisionedModelArn"]
    bench.others[arn] = bench.held()[arn]


def _begin_and_end(bench: Bench) -> None:
    """Run notebook 1 and the clean-up, with all that is there another's."""
    bench.mark_others()
    done = bench.haikuft("run", *ON_AWS, "--to", "1")
    bench.expect(done.status == 1, "notebook 1 did not stop before a stranger's thing")
    bench.haikuft("clean-up", *ON_AWS)
