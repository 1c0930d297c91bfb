"""Views that change while a notebook is open: a watched job, a playground, the running costs."""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "monitor": "watch_job",
        "playground": "Playground",
        "running_costs": "RunningCosts",
        "samples": "ask_samples",
    },
)
