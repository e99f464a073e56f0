"""`huitou resume TOPIC`: goes on with a topic that was paused because too much of it was bad."""

import typer
from redis.exceptions import RedisError

from schemas.catalogue import FOLDED_TOPICS
from streams.settings import Settings
from streams.state.connection import connect
from streams.state.keys import control_key


def resume(topic: str) -> None:
    """Tell all workers to go on with TOPIC, as its name stands in the log line that paused it.

    What lies in the topic by now is then processed whatever its quality: bad records become dead
    letters. The order is kept in Redis, so it reaches workers within about a second.
    """
    settings = Settings()
    kafka_name = _kafka_name(topic, settings.topic_prefix)
    if kafka_name is None:
        known = ", ".join(FOLDED_TOPICS)
        typer.echo(
            f"huitou resume: {topic} is none of the topics that can pause: {known}", err=True
        )
        raise typer.Exit(1)
    try:
        with connect(settings.redis_url) as redis:
            order = redis.hincrby(control_key(settings.redis_prefix), f"resume:{kafka_name}", 1)
    except RedisError as error:
        typer.echo(f"huitou resume: Redis at {settings.redis_url}: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"Order {order} to resume {kafka_name} is given; each worker takes it within about a "
        "second and logs `topic resumed` where it was paused."
    )


def _kafka_name(topic: str, prefix: str) -> str | None:
    """The Kafka name of a topic that was given with or without its prefix; None: no such topic."""
    for name in FOLDED_TOPICS:
        if topic in (name, prefix + name):
            return prefix + name
    return None
