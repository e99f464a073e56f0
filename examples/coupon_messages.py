"""A marketing service: writes a message for each issued coupon into its own outbox, each once.

    python examples/coupon_messages.py localhost:9092 outbox.sqlite

The outbox is a table with the trigger's id as its key, so that a trigger that comes again changes
nothing: the handler's own effect is idempotent, and the deduplicating store only saves the work.
"""

import asyncio
import signal
import sqlite3
import sys
from pathlib import Path

from streams.subscribe import (
    DeadLetterFile,
    ReceivedTrigger,
    RejectTrigger,
    SqliteStore,
    TriggerSubscriber,
)


class Outbox:
    """Messages to be sent, in SQLite."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS outbox (trigger_id TEXT PRIMARY KEY, customer TEXT, message TEXT)"
        )

    async def write(self, received: ReceivedTrigger) -> None:
        """The handler."""
        trigger = received.trigger
        if trigger.kind != "coupon_issued":
            return
        offer = trigger.offer
        if offer is None:
            raise RejectTrigger("a coupon without an offer")
        worth = f"{offer.value} %" if offer.kind == "percent" else f"{offer.value / 100:.2f}"
        message = f"{worth} off with {offer.code}, until {offer.valid_until:%Y-%m-%d}"
        self._file.execute(
            "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?)",
            (received.id, trigger.customer_id, message),
        )


async def main(bootstrap: str, path: Path, topic: str = "shop.triggers") -> None:
    store = SqliteStore(path.with_suffix(".handled"), "coupon-messages")
    subscriber = TriggerSubscriber(
        bootstrap,
        "coupon-messages" if topic == "shop.triggers" else f"coupon-messages-{topic}",
        store=store,
        dead_letters=DeadLetterFile(path.with_suffix(".dead")),
        topic=topic,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, subscriber.stop)
    try:
        print(await subscriber.run(Outbox(path).write))
    finally:
        store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:4]))
