"""What a benchmark runs on: a stack of its own in a temporary folder, topics, and the shipped worker."""

import logging
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from streams.local.stack import LocalStack
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import WorkerProcess


@dataclass(frozen=True)
class Rig:
    """A running local stack; ``folder`` is removed with it."""

    stack: LocalStack
    folder: Path

    @property
    def servers(self) -> dict[str, int]:
        """The pids of the broker and of Redis."""
        pids = {"broker": self.stack.kafka_process.pid, "redis": self.stack.redis_process.pid}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def fresh(self) -> Settings:
        """The defaults, with topics, keys and a group of this run's own; the topics exist."""
        name = f"b{secrets.token_hex(3)}"
        settings = Settings(
            kafka_bootstrap=self.stack.kafka,
            redis_url=self.stack.redis_url,
            topic_prefix=f"{name}.",
            redis_prefix=f"{name}:",
            group=name,
            code_key=SecretStr(secrets.token_hex(32)),
            metrics_port=0,
            data_dir=self.folder / "faust",
        )
        create_topics(settings)
        return settings

    @contextmanager
    def worker(self, settings: Settings) -> Iterator[WorkerProcess]:
        """The shipped worker, recovered and ready; ended on exit."""
        worker = WorkerProcess(settings, self.folder / f"{settings.group}.log")
        try:
            worker.wait_recovered()
            yield worker
        finally:
            if worker.process.poll() is None:
                worker.stop()


@contextmanager
def rig() -> Iterator[Rig]:
    """Starts Kafka and Redis (appendonly) on free ports; stops them and removes their data."""
    # So that a time limit ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix="huitou-bench-"))
    # Clients' warnings of a broker that has just started do not belong among the figures.
    logging.basicConfig(filename=folder / "bench.log", force=True)
    try:
        with LocalStack(folder / "stack") as stack:
            yield Rig(stack, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
