"""The servers of a run: a Redis that loses, is emptied or is full, a broker that is killed, a query store."""

import shutil
from pathlib import Path
from typing import Self

import redis

from streams.local.errors import StartError
from streams.local.kafka import KafkaProcess
from streams.local.ports import pick
from streams.local.redis import RedisProcess
from tests.faults.network import Network, ProxiedKafka
from tests.faults.query_store import Kind, query_store
from tests.waiting import wait_for

#: Past this the append-only file is rewritten, between two faults: a restart reads all of it.
_REWRITE_BYTES = 200 * 1024 * 1024
_STARTS = 3
#: What a full Redis may still take.
_LITTLE_ROOM = 16 * 1024


class Servers:
    """A broker, a Redis, a query store and the network before them, in ``folder``, for so many worker slots
    and sinks.

    Its Redis never rewrites its file by itself: that would spoil a copy.
    """

    def __init__(self, folder: Path, slots: int, sinks: int, store: Kind) -> None:
        folder.mkdir(parents=True)
        self.network = Network(slots, sinks, folder / "toxiproxy.log")
        self.store = query_store(store, folder)
        kafka, controller, redis_port, older_port = pick(4)
        self._kafka: KafkaProcess = ProxiedKafka(
            folder / "kafka", kafka, controller, self.network.kafka_ways
        )
        self._redis = RedisProcess(folder / "redis", redis_port)
        #: Runs for a moment, to read a copy.
        self._older = RedisProcess(folder / "older-redis", older_port)
        self._copy: Path | None = None

    @property
    def kafka(self) -> str:
        return self._kafka.bootstrap

    @property
    def redis_url(self) -> str:
        return self._redis.url

    def __enter__(self) -> Self:
        try:
            self.network.start(self._redis.port, self.store.port)
            self.store.start()
            self._redis.start()
            self._kafka.start()
            self._keep_one_file()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        self._kafka.stop()
        self._redis.stop()
        self.store.stop()
        self.network.stop()

    def kill_redis(self) -> None:
        self._redis.kill9()

    def kill_broker(self) -> None:
        self._kafka.kill9()

    def start_broker(self) -> None:
        """Tried again where a busy machine takes too long."""
        for attempt in range(_STARTS):
            try:
                self._kafka.start()
                return
            except StartError:
                if attempt == _STARTS - 1:
                    raise

    def start_redis(self) -> None:
        self._redis.start()
        self._keep_one_file()

    def empty_redis(self) -> None:
        with self._client() as client:
            client.flushall()

    def fill_redis(self) -> None:
        """Next to nothing fits in any more, until ``make_room``."""
        with self._client() as client:
            client.config_set("maxmemory", client.info("memory")["used_memory"] + _LITTLE_ROOM)

    def make_room(self) -> None:
        with self._client() as client:
            client.config_set("maxmemory", 0)

    def out_of_memory(self) -> int:
        """How many commands Redis has refused because it was full, since its start."""
        with self._client() as client:
            refused = client.info("errorstats").get("errorstat_OOM", {"count": 0})
            return int(refused["count"])

    def copy_redis(self) -> None:
        """Copies Redis's files while it runs; its last command may be cut, as by a power cut."""
        data = self._redis.data
        self._copy = data.with_name("older-copy")
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(data, self._copy)

    def put_copy_back(self) -> None:
        """Only while Redis is down."""
        assert self._copy is not None
        assert not self._redis.running
        data = self._redis.data
        shutil.rmtree(data)
        self._copy.rename(data)

    def swap_copy_in(self) -> None:
        """The copy's content replaces Redis's in one moment, and every connection stays: as behind a
        proxy that has failed over to an older replica."""
        assert self._copy is not None
        shutil.rmtree(self._older.data, ignore_errors=True)
        self._older.data.parent.mkdir(exist_ok=True)
        self._copy.rename(self._older.data)
        self._older.start()
        try:
            with redis.Redis.from_url(self._older.url, socket_timeout=60.0) as older:
                keys = list(older.scan_iter(count=1_000))
                dumps = older.pipeline(transaction=False)
                for key in keys:
                    dumps.dump(key)
                values = dumps.execute()
        finally:
            self._older.kill9()
        with self._client() as client:
            swap = client.pipeline(transaction=True)
            swap.flushdb()
            for key, value in zip(keys, values, strict=True):
                swap.restore(key, 0, value)
            swap.execute()

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
        return redis.Redis.from_url(self.redis_url, socket_timeout=60.0)
