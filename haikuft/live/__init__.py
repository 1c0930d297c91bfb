"""Views that change while a notebook is open: a watched job, a playground, the running costs."""

from haikuft.live.monitor import watch_job
from haikuft.live.playground import Playground
from haikuft.live.running_costs import RunningCosts
from haikuft.live.samples import ask_samples

__all__ = ["Playground", "RunningCosts", "ask_samples", "watch_job"]
