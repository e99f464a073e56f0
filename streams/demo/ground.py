"""What the demo runs on: a stack in a temporary folder, or given servers under a name of its own."""

import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from schemas.catalogue import TOPICS
from streams.local.ports import pick
from streams.local.stack import CODE_KEY_VARIABLE, GivenStack, Stack, choose_stack
from streams.settings import Settings
from streams.state.connection import connect, every_node
from streams.state.scanning import escape_pattern

#: Kafka, its controller and Redis take the first three ports from --port-base.
_STACK_PORTS = 3
_DELETE_SECONDS = 20.0
_DELETED_KEYS = 1_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ground:
    """Where the demo's events, states and logs are, until it ends."""

    stack: Stack
    settings: Settings
    folder: Path
    #: Slot 0's /metrics; the next slots have the next ports. 0: free ones.
    metrics_port: int

    @property
    def logs(self) -> Path:
        """The folder of the workers' logs and the demo's own."""
        return self.folder / "logs"

    @property
    def place(self) -> str:
        """In words, where it runs."""
        if isinstance(self.stack, GivenStack):
            return (
                f"your Kafka at {self.stack.kafka} and Redis, topics {self.settings.topic_prefix}*"
            )
        return f"a Kafka at {self.stack.kafka} and a Redis of its own"

    def environment(self) -> dict[str, str]:
        """What makes a worker process use the same settings."""
        settings = self.settings
        return {
            **self.stack.environment(),
            CODE_KEY_VARIABLE: settings.code_key.get_secret_value(),
            "HUITOU_GROUP": settings.group,
            "HUITOU_TOPIC_PREFIX": settings.topic_prefix,
            "HUITOU_REDIS_PREFIX": settings.redis_prefix,
            "HUITOU_DATA_DIR": str(settings.data_dir),
        }


@contextmanager
def ground(workers: int, port_base: int | None) -> Iterator[Ground]:
    """Starts what is needed; on exit stops it and removes every trace of the demo.

    With KAFKA_BOOTSTRAP and REDIS_URL set, those servers are used: topics, keys and the consumer
    group get a prefix of this run's own, and are deleted. Raises LocalStackError.
    """
    folder = Path(tempfile.mkdtemp(prefix="huitou-demo-"))
    try:
        (folder / "logs").mkdir()
        chosen = choose_stack(folder / "stack", port_base)
        given = isinstance(chosen, GivenStack)
        metrics_port = 0
        if port_base is not None:
            metrics_port = pick(workers, port_base + _STACK_PORTS)[0]
        with chosen as stack:
            settings = _settings(stack, folder, f"demo-{secrets.token_hex(3)}." if given else "")
            try:
                yield Ground(stack, settings, folder, metrics_port)
            finally:
                if given:
                    _remove(settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _settings(stack: Stack, folder: Path, name: str) -> Settings:
    return Settings(
        kafka_bootstrap=stack.kafka,
        redis_url=stack.redis_url,
        code_key=SecretStr(stack.environment()[CODE_KEY_VARIABLE]),
        topic_prefix=name,
        redis_prefix=f"huitou-{name}" if name else "huitou:",
        group=f"huitou-{name}demo",
        data_dir=folder / "faust",
    )


def _remove(settings: Settings) -> None:
    """Deletes the demo's topics, group and keys from servers that stay."""
    try:
        admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap}, logger=_log)
        topics = admin.delete_topics(
            [settings.topic_prefix + name for name in TOPICS], operation_timeout=_DELETE_SECONDS
        )
        groups = admin.delete_consumer_groups([settings.group])
        for future in (*topics.values(), *groups.values()):
            future.result(_DELETE_SECONDS)
    except KafkaException as error:
        _log.warning("the demo's topics %s* stay: %s", settings.topic_prefix, error)
    try:
        with connect(settings.redis_url) as redis:
            for node in every_node(redis):
                _remove_keys(node, settings.redis_prefix)
    except RedisError as error:
        _log.warning("the demo's keys %s* stay: %s", settings.redis_prefix, error)


def _remove_keys(node: "Redis", prefix: str) -> None:
    keys = list(node.scan_iter(f"{escape_pattern(prefix)}*", count=_DELETED_KEYS))
    for first in range(0, len(keys), _DELETED_KEYS):
        with node.pipeline(transaction=False) as pipe:
            # One command a key: a node of a cluster takes no command of several slots.
            for key in keys[first : first + _DELETED_KEYS]:
                pipe.unlink(key)
            pipe.execute()
