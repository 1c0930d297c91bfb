"""One reply, whole or as it comes, and many replies kept in a file."""

from haikuft.inference.asking import ask, identify_model
from haikuft.inference.budget import Budget
from haikuft.inference.many import GIVE_UP_AFTER, ask_many
from haikuft.inference.requests import APIS, MAX_TOKENS, Sampling, build_body, build_request
from haikuft.inference.streaming import stream
from haikuft.replies import Reply, ReplyFile, file_name, read_replies

__all__ = [
    "APIS",
    "GIVE_UP_AFTER",
    "MAX_TOKENS",
    "Budget",
    "Reply",
    "ReplyFile",
    "Sampling",
    "ask",
    "ask_many",
    "build_body",
    "build_request",
    "file_name",
    "identify_model",
    "read_replies",
    "stream",
]
