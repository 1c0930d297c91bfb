"""The form of notebook 6: models and scorers to compare."""

from haikuft.forms import facts
from haikuft.forms.fields import Field
from haikuft.forms.form import Form
from haikuft.forms.saving import plan_saving


def evaluation_form(
    *,
    max_records: int,
    further_model_ids: list[str],
    task: str,
    scorers: list[str],
    run: str | None = None,
    target: str = "sandbox",
) -> Form:
    """Ask which models get which questions, and how the replies are judged."""
    from haikuft.evaluation.scorers import choose_scorers  # late: it loads pandas

    tasks = {
        "": "recognised from the references",
        "labels": "labels",
        "structured": "structured output (JSON)",
        "text": "text",
    }
    return Form(
        "Evaluation",
        [
            Field(
                "max_records",
                "Test records to ask (0: all)",
                max_records,
                minimum=0,
                help="Fewer records cost less and tell less.",
            ),
            Field(
                "further_model_ids",
                "Further models (ids or ARNs, comma between)",
                further_model_ids,
                help="Compared with the base and the tuned model, which always take part.",
            ),
            Field(
                "task",
                "Task",
                task,
                choices=tasks,
                help="What the answers are; it decides which scorers there are.",
            ),
            Field(
                "scorers",
                "Scorers (none marked: all of the task's)",
                scorers,
                options=_list_scorers(),
                help="Mark several with Ctrl or Shift. The uppermost of them decides the verdict.",
            ),
        ],
        check=lambda values: choose_scorers(values["scorers"], values["task"]),
        derive=facts.tell_comparison,
        saving=plan_saving(run, "06_evaluate", target),
    )


def _list_scorers() -> dict[str, str]:
    """Name every scorer, with its task or tasks and what it measures."""
    from haikuft.evaluation.scorers import TASKS, scorers_for

    tasks: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for task in TASKS:
        for scorer in scorers_for(task):
            tasks.setdefault(scorer.name, []).append(task)
            titles[scorer.name] = scorer.title
    return {name: f"{name}: {titles[name]} ({', '.join(of)})" for name, of in tasks.items()}
