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
    for flag, text in (
        ("--learning-curve", "train on 25 and 50 %% of the data, too"),
        ("--allow-charges", "start paid work"),
    ):
        parser.add_argument(flag, action="store_true", help=text)
    add_state(parser)
    parser.set_defaults(command=_search)


def _search(options: argparse.Namespace) -> int:
    from haikuft import plots, pricing, search
    from haikuft.runs import prerequisites, run_record

    run = run_record.open_run(options.run, target=options.target)
    prerequisites.require(run, "role", "data")
    choices = {name: values.split(",") for name, values in options.p}
    trials = search.build_trials(run, choices, random=options.random, parts=options.learning_curve)
    price = pricing.take_price("training", run.base_model.id, options.training_price)
    limits = {"max_jobs": options.max_jobs, "max_dollars": options.max_dollars}
    trials, plan = search.plan_search(run, search.find_trials(run, trials), price, **limits)
    print(plan)
    bills, allowed = run.connection.bills, options.allow_charges
    pricing.check_charges(bills, allowed, doing="the search", estimate=plan)
    ended = search.run_trials(run, trials)
    picture = plots.show_figure(plots.plot_trials(ended), run.figures / "trials.png")
    print(*search.describe_findings(ended), picture.path, sep="\n")
    return 0
