"""Client request tokens: a request repeated with its token makes nothing new."""

from haikuft.sandbox.http.routing import Call
from haikuft.sandbox.state import State


def recall(state: State, call: Call) -> str:
    """Find the ARN that an earlier request with this token made; "" if there was none."""
    return state.tokens.get(_key(call), "")


def remember(state: State, call: Call, arn: str) -> None:
    """Note what a request with this token made."""
    if "clientRequestToken" in call.parameters:
        state.tokens[_key(call)] = arn


def _key(call: Call) -> str:
    token = call.parameters.get("clientRequestToken", "")
    return f"{call.operation}/{call.region}/{token}"
