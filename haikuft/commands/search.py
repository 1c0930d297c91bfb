"""`haikuft search`: trials of hyperparameters, and of parts of the data, on a prepared run."""

import argparse
from typing import TYPE_CHECKING

from haikuft.commands import add_state
from haikuft.commands.run import TARGETS

if TYPE_CHECKING:
    from haikuft.commands import Commands


def add(commands: "Commands") -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "search",
        allow_abbrev=False,
        help="try hyperparameters, and parts of the data",
        description="Train a run's data with several hyperparameters, each as a job, and on parts "
        "of the data; compare the validation losses. The run needs notebooks 1 and 2.",
    )
    names = ("NAME", "VALUES")
    text = "values to try, such as epoch_count 1,2,5"
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=names, help=text)
    parser.add_argument("--target", choices=TARGETS, default="sandbox", help="where (sandbox)")
    for flag, default, text in (
        ("--run", "search", "name of the run (search)"),
        ("--random", 0, "draw so many combinations (all of them)"),
        ("--max-jobs", 30, "no more jobs than these (30)"),
        ("--max-dollars", 50.0, "no more US dollars than these (50)"),
        ("--training-price", 0.0, "US dollars per 1,000 tokens (the price table's)"),
    ):
        parser.add_argument(flag, type=type(default), default=default, metavar="N", help=text)
    text = "train on 25 and 50 %% of the data, too"
    parser.add_argument("--learning-curve", action="store_true", help=text)
    parser.add_argument("--allow-charges", action="store_true", help="start paid work")
    add_state(parser)
    parser.set_defaults(command=_search)


def _search(options: argparse.Namespace) -> int:
    from haikuft import plots, pricing
    from haikuft.runs import prerequisites, run_record
    from haikuft.search import findings, planning, running, trials

    run = run_record.open_run(options.run, target=options.target)
    prerequisites.require(run, "role", "data")
    choices = {name: values.split(",") for name, values in options.p}
    wanted = trials.build_trials(run, choices, random=options.random, parts=options.learning_curve)
    price = pricing.take_price("training", run.base_model.id, options.training_price)
    limits = {"max_jobs": options.max_jobs, "max_dollars": options.max_dollars}
    kept, plan = planning.plan_search(run, running.find_trials(run, wanted), price, **limits)
    print(plan)
    bills, allowed = run.connection.bills, options.allow_charges
    pricing.check_charges(bills, allowed, doing="starting the trials", estimate=plan)
    ended = running.run_trials(run, kept)
    picture = plots.show_figure(plots.plot_trials(ended), run.figures / "trials.png")
    print(*findings.describe_findings(ended), picture.path, sep="\n")
    return 0
