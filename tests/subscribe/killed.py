"""A subscriber process for tests that kill it.

``python -m tests.subscribe.killed KAFKA TOPIC GROUP FOLDER HANG``: its handler appends a line ``id`` to
FOLDER/begun and, once done, to FOLDER/done; at the trigger HANG it stays in the handler. With ``commit``
as a further argument it stays after the store has remembered HANG, before Kafka was told.
"""

import asyncio
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from streams.subscribe import DeadLetterFile, ReceivedTrigger, SqliteStore, TriggerSubscriber
from tests.subscribe.running import KAFKA


class _HangingStore(SqliteStore):
    hang = ""
    told = Path()

    def remember(self, ids: Sequence[str]) -> None:
        super().remember(ids)
        if self.hang in ids:
            append(self.told, self.hang)
            threading.Event().wait()


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


async def main(kafka: str, topic: str, group: str, folder: Path, hang: str, where: str) -> None:
    async def handler(received: ReceivedTrigger) -> None:
        append(folder / "begun", received.id)
        if received.id == hang and where == "handler":
            await asyncio.Event().wait()
        append(folder / "done", received.id)

    store = _HangingStore(folder / "handled.sqlite", group)
    if where == "commit":
        store.hang, store.told = hang, folder / "remembered"
    await TriggerSubscriber(
        kafka,
        group,
        store=store,
        dead_letters=DeadLetterFile(folder / "dead.jsonl"),
        topic=topic,
        handler_timeout=600,
        kafka=KAFKA,
    ).run(handler)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], Path(sys.argv[4]), sys.argv[5], (*sys.argv[6:], "handler")[0]))
