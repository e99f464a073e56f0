"""The Faust app and its one agent."""

import gc
from collections.abc import AsyncIterator
from typing import Any, cast

import faust

from streams.engine.assignor import Assignor
from streams.engine.engine import Engine
from streams.engine.topicnames import TopicNames
from streams.engine.transport import Consumer, Poll
from streams.settings import Settings

#: More than the engine ever lets wait (streams.engine.engine.WAITING_POLLS), so that it never fills.
STREAM_BUFFER = 64
#: Seconds between collections of what is new; full ones are not needed, states hold no cycles.
YOUNG_GARBAGE_INTERVAL = 5.0


class App(faust.App):
    """A Faust app that knows its engine; the transport finds it here."""

    engine: Engine
    #: Seconds; see streams.settings.
    fetch_wait: float


def make_app(settings: Settings, slot: str, topics: TopicNames, engine: Engine) -> App:
    """Wire Faust around the engine: one agent over all input topics, and nothing else of Faust's.

    ``slot``: a name that no other worker of this machine has at the same time.
    """
    folder = settings.data_dir / f"slot-{slot}"
    folder.mkdir(parents=True, exist_ok=True)
    app = App(
        settings.group,
        broker_consumer=f"bundle://{settings.kafka_bootstrap}",
        broker_producer=f"kafka://{settings.kafka_bootstrap}",
        datadir=str(folder),
        consumer_auto_offset_reset="earliest",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_max_poll_records=settings.max_poll_records,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 4,
        broker_rebalance_timeout=60.0,
        # Offsets are committed in our transactions only; this loop would find nothing to do.
        broker_commit_interval=60.0,
        broker_commit_every=10**12,
        stream_buffer_maxsize=STREAM_BUFFER,
        stream_wait_empty=False,
        # No tables; 0 would switch to a round-robin assignor that breaks co-partitioning.
        table_standby_replicas=1,
        PartitionAssignor=Assignor,
        worker_redirect_stdouts=False,
    )
    app.engine = engine
    app.fetch_wait = settings.fetch_wait
    stream = app.topic(
        *topics.inputs, key_serializer="raw", value_serializer="raw", key_type=None, value_type=None
    )

    @app.agent(stream, concurrency=1)
    async def cycle(polls: AsyncIterator[Any]) -> None:
        async for event in cast(Any, polls).noack().events():
            await engine.process(cast(Poll, event.value))

    @app.timer(interval=1.0)
    async def beat() -> None:
        engine.beat("loop")

    @app.timer(interval=YOUNG_GARBAGE_INTERVAL)
    async def collect() -> None:
        # Automatic collection is off: walking a large cache of states again and again costs 15 %.
        gc.collect(1)

    @app.task
    async def attach() -> None:
        engine.attach(cast(Consumer, app.consumer))

    @app.on_before_shutdown.connect
    async def drain(_: Any, **__: Any) -> None:
        await engine.drain()

    return app
