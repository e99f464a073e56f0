"""The stream's live aggregates, for commands that do without them where Redis does not answer."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from redis.exceptions import RedisError

from streams.cli.counted import Counted
from streams.domain.aggregated import Aggregates
from streams.domain.state import CustomerState
from streams.settings import Settings
from streams.state.aggregates import RedisAggregates
from streams.state.connection import connect
from streams.state.population import population


def walk(settings: Settings, shop: str) -> Callable[[], Iterator[CustomerState]]:
    """What walks over the states of a shop's customers, with its progress on standard error.

    The walk raises redis.RedisError and streams.state.codec.StateCodecError.
    """

    def states() -> Iterator[CustomerState]:
        with Counted("customers") as counted:
            found = population(connect(settings.redis_url), settings, shop)
            for number, state in enumerate(found, 1):
                yield state
                counted.at(number)

    return states


class Live(NamedTuple):
    """``aggregates`` None: they cannot be read, for the reason ``why``."""

    aggregates: Aggregates | None
    why: str = ""


def live_aggregates(settings: Settings) -> Live:
    """Asks Redis whether it is there. Blocks for at most some seconds."""
    client = connect(settings.redis_url)
    try:
        client.ping()
    except RedisError as error:
        return Live(None, f"Redis at {settings.redis_url} does not answer: {error}")
    return Live(RedisAggregates(client, settings))
