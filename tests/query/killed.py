"""A sink that kills itself, as a process of its own.

``python -m tests.query.killed STRIKE WHEN N``: SIGKILL or SIGSTOP (KILL, STOP) strikes ``before`` or
``after`` the N-th commit of a batch. Batches are small, so that there are several. Exit code 0: it came to
the topics' ends before.
"""

import os
import signal
import sys

from sqlalchemy import event

from streams.query import sink
from streams.query.batch import Batch
from streams.query.connecting import Database, store_url
from streams.query.migrating import bring_up
from streams.query.store import QueryStore
from streams.settings import Settings


def main(strike: str, when: str, occurrence: int) -> None:
    sink.BATCH = 20  # type: ignore[misc]
    settings = Settings()
    database = Database(store_url(settings))
    bring_up(database)

    class Struck(QueryStore):
        commits = 0

        def write(self, batch: Batch) -> None:
            self.commits += 1
            now = self.commits == occurrence
            if now and when == "before":
                # All statements are done; the next thing would be COMMIT.
                event.listen(database.writer, "commit", lambda *_: kill())
            super().write(batch)
            if now and when == "after":
                kill()

    def kill() -> None:
        print("struck", flush=True)
        os.kill(os.getpid(), signal.Signals[f"SIG{strike}"])

    sink.Sink(settings, Struck(database)).run(lambda: False, once=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
