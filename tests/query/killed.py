"""A sink that kills itself, as a process of its own.

``python -m tests.query.killed STRIKE WHEN N [ARCHIVE]``: SIGKILL or SIGSTOP (KILL, STOP) strikes ``before``
or ``after`` the N-th commit of a batch. Batches are small, so that there are several. Exit code 0: it came
to the topics' ends before; 70: a doubt, after it was woken up.
"""

import signal
import sys
import threading
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from streams.cli.endings import EXIT_DOUBT
from streams.query import sink
from streams.query.archived import ArchivedHeads
from streams.query.batch import Batch
from streams.query.connecting import Database, store_url
from streams.query.errors import StoreDoubt
from streams.query.migrating import bring_up
from streams.query.store import QueryStore
from streams.settings import Settings


def main(strike: str, when: str, occurrence: int, archive: str | None) -> None:
    sink.BATCH = 20  # type: ignore[misc]
    settings = Settings()
    database = Database(store_url(settings))
    bring_up(database)

    class Struck(QueryStore):
        writes = 0

        def write(self, batch: Batch) -> None:
            self.writes += 1
            if self.writes == 1 and when == "before":
                # Each transaction counts, should a batch ever be more than one: all of its statements are
                # done, and the next thing would be COMMIT.
                event.listen(database.writer, "commit", committing)
            super().write(batch)
            if self.writes == occurrence and when == "after":
                kill()

    commits = 0

    def committing(_: object) -> None:
        nonlocal commits
        commits += 1
        if commits == occurrence:
            kill()

    def kill() -> None:
        print("struck", flush=True)
        # To this thread: a signal to the process may be taken by another one, and this one commits meanwhile.
        signal.pthread_kill(threading.get_ident(), signal.Signals[f"SIG{strike}"])

    try:
        heads = None if archive is None else ArchivedHeads(Path(archive))
        sink.Sink(settings, Struck(database), archive=heads).run(lambda: False, once=True)
    except (StoreDoubt, SQLAlchemyError) as error:
        # As `huitou sink` ends: a broken test ends otherwise.
        print(error, flush=True)
        sys.exit(EXIT_DOUBT)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), dict(enumerate(sys.argv)).get(4))
