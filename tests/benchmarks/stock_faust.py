"""The rival: a Faust agent as Faust's documentation writes them, with the decoder and the fold of ours.

Per event one GET and one SET of the customer's state; triggers are sent by the agent. It keeps no
sequence, journal, outbox or timers, and is at least once: less than the engine promises. ``--tuned``
runs it as the engine runs: under uvloop, with collection off. Prints a line when ``--warm`` events were
processed, and one when ``--events`` were.

    python -m tests.benchmarks.stock_faust --events 30000 --warm 2000
"""

import argparse
import gc
import os
import sys
import traceback
from typing import Any

import faust
import msgspec
import redis.asyncio
import uvloop

from schemas.catalogue import CUSTOMER_TOPICS, TRIGGERS
from schemas.deadletter import DeadLetter
from schemas.decision import Decision
from schemas.decoding import Decoder, RawRecord
from streams.campaigns.decide import decide
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state, state_key
from streams.settings import Settings
from streams.state.codec import decode, encode

WARM, DONE = "warm", "done"


class Customers:
    """What the agent does with an event."""

    def __init__(self, settings: Settings, names: dict[str, str], triggers: Any) -> None:
        self._decoder = Decoder(settings.partitions, names)
        self._store = redis.asyncio.Redis.from_url(settings.redis_url)
        self._prefix = settings.redis_prefix
        self._triggers = triggers
        self._shops: dict[str, ShopSettings] = {}

    async def take(self, message: Any) -> None:
        """Decode, get, fold, decide, send, set."""
        record = RawRecord(
            message.topic,
            message.partition,
            message.offset,
            int(message.timestamp * 1000),
            message.key,
            message.value,
            message.headers or (),
        )
        decoded = self._decoder.decode(record, 0)
        if isinstance(decoded, DeadLetter):
            return
        event, time = decoded.event, decoded.time_ms
        shop = event.data.shop_id
        settings = self._shops.get(shop)
        if settings is None:
            settings = self._shops[shop] = ShopSettings(shop)
        key = self._prefix + state_key(shop, event.subject)
        stored = await self._store.get(key)
        state = decode(stored) if stored else new_state(shop, event.subject)
        facts = fold(state, event, time, settings)
        if facts is None:
            return
        for trigger in decide(state, facts, event, time, settings):
            if isinstance(trigger, Decision):
                continue
            await self._triggers.send(key=message.key, value=msgspec.json.encode(trigger))
        await self._store.set(key, encode(state))


def main() -> None:
    arguments = _arguments()
    settings = Settings()
    if arguments.tuned:
        uvloop.install()
    app = faust.App(
        f"{settings.group}-stock",
        broker=f"kafka://{settings.kafka_bootstrap}",
        datadir=str(settings.data_dir),
        consumer_auto_offset_reset="earliest",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_max_poll_records=4_000,
        stream_wait_empty=False,
        web_enabled=False,
    )
    names = {settings.topic_prefix + name: name for name in CUSTOMER_TOPICS}
    source = app.topic(*names, key_serializer="raw", value_serializer="raw")
    triggers = app.topic(
        settings.topic_prefix + TRIGGERS, key_serializer="raw", value_serializer="raw"
    )
    customers = Customers(settings, names, triggers)

    @app.agent(source)
    async def agent(stream: Any) -> None:
        done = 0
        async for event in stream.events():
            try:
                await customers.take(event.message)
            except Exception:  # noqa: BLE001 - said and ended
                # Faust would start the agent again, and the benchmark would wait for ever.
                traceback.print_exc()
                os._exit(1)
            done += 1
            if done == arguments.warm:
                _say(WARM)
            if done == arguments.events:
                _say(DONE)

    if arguments.tuned:
        gc.collect()
        gc.freeze()
        gc.disable()
    sys.argv = ["stock", "worker", "-l", "warn", "--without-web"]
    app.main()


def _say(word: str) -> None:
    # Faust's worker puts its log in place of sys.stdout.
    os.write(1, f"{word}\n".encode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--warm", type=int, required=True)
    parser.add_argument("--tuned", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
