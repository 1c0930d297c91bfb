"""Calls that the network or AWS failed at are repeated, and no others."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from fakes import Time

from haikuft.aws.repeating import repeat_for_a_while


@pytest.fixture
def count(local_sandbox: Callable[..., Any]) -> Callable[..., tuple[list[str], Exception | None]]:
    """`count("s3", throttle_share=1.0)` lists what is there; gives each attempt and the error."""

    def call(service: str, patience_seconds: float = 60.0, **faults: Any) -> Any:
        attempts: list[str] = []
        client, time = local_sandbox(handlers=None, **faults).client(service), Time()

        def note(**_: object) -> None:
            attempts.append(service)
            time.sleep(25)

        client.meta.events.register("before-send", note)
        repeat_for_a_while(client, patience_seconds, clock=time.clock, chance=lambda: 0.0)
        ask = client.list_custom_models if service == "bedrock" else client.list_buckets
        try:
            ask()
        except (ClientError, BotoCoreError) as error:
            return attempts, error
        return attempts, None

    return call


@pytest.mark.parametrize("fault", ["throttle_share", "error_share", "drop_share"])
def test_call_when_it_always_fails_then_it_is_repeated_until_patience_ends(
    count: Any, fault: str
) -> None:
    """An attempt takes 25 s here: the first failure, one after 25 s, one after 50, the last."""
    attempts, error = count("bedrock", **{fault: 1.0})

    assert len(attempts) == 4
    assert error is not None


def test_call_when_it_fails_at_times_then_it_succeeds(count: Any) -> None:
    """Whoever calls need not know."""
    attempts, error = count("bedrock", 1000.0, error_share=0.4, drop_share=0.3, fault_seed=3)

    assert error is None
    assert len(attempts) > 1


def test_call_when_there_is_no_patience_then_it_is_made_once(count: Any) -> None:
    """As for `ask_many`, which has patience of its own."""
    attempts, error = count("bedrock", 0.0, throttle_share=1.0)

    assert len(attempts) == 1
    assert error is not None


def test_call_when_it_is_refused_for_good_then_it_is_made_once(
    local_sandbox: Callable[..., Any],
) -> None:
    """What is not there will not be there in a while."""
    client = local_sandbox(handlers=None).client("bedrock")
    attempts: list[object] = []
    client.meta.events.register("before-send", lambda **_: attempts.append(1) and None)
    repeat_for_a_while(client, 60.0)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_custom_model(modelIdentifier="none-such")
    assert len(attempts) == 1
