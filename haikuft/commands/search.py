"""`haikuft search`: trials of hyperparameters, and of parts of the data, on a prepared run."""

import argparse


def search(options: argparse.Namespace) -> int:
    """Print what the trials cost, run them, and print what they show."""
    from haikuft import plots, pricing
    from haikuft.runs import prerequisites, run_record
    from haikuft.search import findings, planning, running, trials

    run = run_record.open_run(options.run, target=options.target)
    prerequisites.require(run, "role", "data")
    choices = {name: values.split(",") for name, values in options.values}
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
