"""The ways of the workers to Kafka and Redis: each worker slot has a proxy of its own to each of both."""

from pathlib import Path
from typing import Self

from streams.local.kafka import KafkaProcess
from streams.local.ports import pick
from streams.settings import Settings
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
    """``slots`` pairs of proxies. The source, the observer and the judge connect directly."""

    def __init__(self, slots: int, log: Path) -> None:
        orders, *ports = pick(1 + 3 * slots)
        self._toxiproxy = Toxiproxy(orders, log)
        #: Of each slot: (the broker's listener, the proxy before it).
        self.kafka_ways = list(zip(ports[0::3], ports[1::3], strict=True))
        self._redis_ports = ports[2::3]
        self.kafka: list[Proxy] = []
        self.redis: list[Proxy] = []

    def start(self, redis_port: int) -> Self:
        """Blocks until every way is there. Raises ToxiproxyError."""
        self._toxiproxy.start()
        for slot, (listener, port) in enumerate(self.kafka_ways):
            self.kafka.append(self._toxiproxy.proxy(f"kafka-{slot}", port, listener))
        for slot, port in enumerate(self._redis_ports):
            self.redis.append(self._toxiproxy.proxy(f"redis-{slot}", port, redis_port))
        return self

    def stop(self) -> None:
        self._toxiproxy.stop()

    def settings(self, direct: Settings, slot: int) -> Settings:
        """As ``direct``, but by the slot's own ways."""
        return direct.model_copy(
            update={
                "kafka_bootstrap": f"127.0.0.1:{self.kafka_ways[slot][1]}",
                "redis_url": f"redis://127.0.0.1:{self._redis_ports[slot]}/0",
            }
        )
