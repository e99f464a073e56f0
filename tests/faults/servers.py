"""The servers of a run: a Redis whose files are put back to an older copy, a broker that is killed."""

import shutil
from pathlib import Path

import redis

from streams.local.stack import LocalStack
from tests.waiting import wait_for

#: Past this the append-only file is rewritten, between two faults: a restart reads all of it.
_REWRITE_BYTES = 200 * 1024 * 1024


class Servers:
    """``stack`` runs. Its Redis never rewrites its file by itself: that would spoil a copy."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self._copy: Path | None = None
        self._keep_one_file()

    def kill_redis(self) -> None:
        self.stack.redis_process.kill9()

    def kill_broker(self) -> None:
        self.stack.kafka_process.kill9()

    def start_broker(self) -> None:
        self.stack.kafka_process.start()

    def start_redis(self) -> None:
        self.stack.redis_process.start()
        self._keep_one_file()

    def copy_redis(self) -> None:
        """Copies Redis's files while it runs; its last command may be cut, as by a power cut."""
        data = self.stack.redis_process.data
        self._copy = data.with_name("older-copy")
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(data, self._copy)

    def put_copy_back(self) -> None:
        """Only while Redis is down."""
        assert self._copy is not None
        assert not self.stack.redis_process.running
        data = self.stack.redis_process.data
        shutil.rmtree(data)
        self._copy.rename(data)

    def shorten_file(self) -> None:
        """Rewrites the append-only file once it is long; waits until that is done."""
        with self._client() as client:
            if client.info("persistence")["aof_current_size"] < _REWRITE_BYTES:
                return
            client.bgrewriteaof()

            def done() -> bool:
                found = client.info("persistence")
                return not (found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"])

            wait_for(done, 120, "the append-only file rewritten")

    def _keep_one_file(self) -> None:
        with self._client() as client:
            client.config_set("auto-aof-rewrite-percentage", 0)

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.stack.redis_url, socket_timeout=10.0)
