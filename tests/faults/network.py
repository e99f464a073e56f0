"""The ways to the servers: each worker slot has a proxy of its own to Kafka and to Redis, each sink one to
Kafka and, where that is a server, one to the query store.
"""

from pathlib import Path
from typing import Self

from streams.local.kafka import KafkaProcess
from streams.local.ports import pick
from streams.settings import Settings
from tests.faults.query_store import QueryStoreServer
from tests.faults.toxiproxy import Proxy, Toxiproxy


class ProxiedKafka(KafkaProcess):
    """A broker with a further listener for each of ``ways``: (its port, the port that clients are told).

    Clients talk to the address that their listener advertises, so it must be the proxy's.
    """

    def __init__(
        self, folder: Path, port: int, controller_port: int, ways: list[tuple[int, int]]
    ) -> None:
        super().__init__(folder, port, controller_port)
        self._ways = ways

    def properties(self) -> str:
        names = [f"WAY{number}" for number in range(len(self._ways))]
        listeners = [("PLAINTEXT", self.port, self.port), ("CONTROLLER", self.controller_port, 0)]
        listeners += [(name, *way) for name, way in zip(names, self._ways, strict=True)]
        own = ",".join(f"{name}://127.0.0.1:{port}" for name, port, _ in listeners)
        told = ",".join(f"{name}://127.0.0.1:{port}" for name, _, port in listeners if port)
        protocols = ",".join(f"{name}:PLAINTEXT" for name, _, _ in listeners)
        # What comes last holds.
        return super().properties() + (
            f"\nlisteners={own}\nadvertised.listeners={told}\n"
            f"listener.security.protocol.map={protocols}\n"
        )


class Network:
    """Ways of ``slots`` workers and ``sinks``. The source, the observer and the judge connect directly."""

    def __init__(self, slots: int, sinks: int, log: Path) -> None:
        orders, *ports = pick(1 + 3 * (slots + sinks))
        self._toxiproxy = Toxiproxy(orders, log)
        self._slots = slots
        #: Of each slot, then of each sink: (the broker's listener, the proxy before it).
        self.kafka_ways = list(zip(ports[0::3], ports[1::3], strict=True))
        #: Those of the sinks lead to the store.
        self._other_ports = ports[2::3]
        self.kafka: list[Proxy] = []
        self.redis: list[Proxy] = []
        self.sinks_kafka: list[Proxy] = []
        #: Of each sink; none where the store is a file.
        self.stores: list[Proxy] = []

    def start(self, redis_port: int, store_port: int | None) -> Self:
        """Blocks until every way is there; ``store_port`` None: no server. Raises ToxiproxyError."""
        self._toxiproxy.start()
        for number, (listener, port) in enumerate(self.kafka_ways):
            ways = self.kafka if number < self._slots else self.sinks_kafka
            ways.append(self._toxiproxy.proxy(f"kafka-{number}", port, listener))
        for number, port in enumerate(self._other_ports):
            if number < self._slots:
                self.redis.append(self._toxiproxy.proxy(f"redis-{number}", port, redis_port))
            elif store_port is not None:
                self.stores.append(self._toxiproxy.proxy(f"store-{number}", port, store_port))
        return self

    def stop(self) -> None:
        self._toxiproxy.stop()

    def settings(self, direct: Settings, slot: int) -> Settings:
        """As ``direct``, but by the slot's own ways."""
        return direct.model_copy(
            update={
                "kafka_bootstrap": f"127.0.0.1:{self.kafka_ways[slot][1]}",
                "redis_url": f"redis://127.0.0.1:{self._other_ports[slot]}/0",
            }
        )

    def sink_settings(self, direct: Settings, sink: int, store: QueryStoreServer) -> Settings:
        """As ``direct``, but by the sink's own ways."""
        number = self._slots + sink
        return direct.model_copy(
            update={
                "kafka_bootstrap": f"127.0.0.1:{self.kafka_ways[number][1]}",
                "query_store": store.url(self._other_ports[number]),
            }
        )
