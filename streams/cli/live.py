"""The stream's live aggregates, for commands that do without them where Redis does not answer."""

from typing import NamedTuple

from redis.exceptions import RedisError

from streams.domain.aggregated import Aggregates
from streams.settings import Settings
from streams.state.aggregates import RedisAggregates
from streams.state.connection import connect


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
