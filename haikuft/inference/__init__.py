"""Ask models: one reply, whole or streamed, and many replies kept in a file."""

from haikuft.inference.asking import ask, identify_model
from haikuft.inference.budget import Budget
from haikuft.inference.many import ask_many
from haikuft.inference.replies import file_name
from haikuft.inference.streaming import stream

__all__ = ["Budget", "ask", "ask_many", "file_name", "identify_model", "stream"]
