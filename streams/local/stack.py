"""Kafka and Redis to run on: a local stack in a folder of its own, or given servers."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

from streams.local.errors import LocalStackError, StartError
from streams.local.files import exclusive, user_folder, write_whole
from streams.local.kafka import KafkaProcess
from streams.local.ports import is_free, pick
from streams.local.redis import RedisProcess

KAFKA_VARIABLE = "KAFKA_BOOTSTRAP"
REDIS_VARIABLE = "REDIS_URL"
CODE_KEY_VARIABLE = "HUITOU_CODE_KEY"
#: Free ports are drawn, not reserved: another process may take one before its server listens.
_ATTEMPTS = 3


class Stack(Protocol):
    """What everything runs on; as a context manager it ends what it started itself."""

    @property
    def kafka(self) -> str:
        """Kafka's bootstrap servers, ``host:port``, comma-separated."""

    @property
    def redis_url(self) -> str: ...

    def environment(self) -> dict[str, str]:
        """What a worker needs in its environment to use this stack."""

    def start(self) -> Self: ...

    def stop(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True)
class Ports:
    kafka: int
    controller: int
    redis: int


class LocalStack:
    """A broker and a Redis server under ``folder``, which holds their data, logs and ports.

    ``port_base``: Kafka there, its controller on the next port, Redis on the one after; None: free
    ports, drawn at the first start and kept. Stacks in different folders run side by side.
    As a context manager it starts on entry and stops on exit those servers that were not running.
    """

    def __init__(self, folder: Path, port_base: int | None = None) -> None:
        self.folder = folder.resolve()
        self._port_base = port_base
        self._state = self.folder / "stack.json"
        self._servers: tuple[KafkaProcess, RedisProcess] | None = None
        self._started: list[KafkaProcess | RedisProcess] = []

    @property
    def kafka_process(self) -> KafkaProcess:
        """The broker's handle; raises LocalStackError before a first start."""
        return self._load()[0]

    @property
    def redis_process(self) -> RedisProcess:
        """The Redis server's handle; raises LocalStackError before a first start."""
        return self._load()[1]

    @property
    def kafka(self) -> str:
        return self.kafka_process.bootstrap

    @property
    def redis_url(self) -> str:
        return self.redis_process.url

    @property
    def exists(self) -> bool:
        """Whether this folder holds a stack, running or not."""
        return self._state.exists()

    def start(self) -> Self:
        """Brings up what is not running and blocks until both answer; about 5 s from nothing.

        Raises LocalStackError: a tool is missing, a port is taken, a server does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self.folder / "lock"):
            for attempt in range(1, _ATTEMPTS + 1):
                kafka, redis = self._place()
                try:
                    # Redis first: it is there in no time, and a missing one is told before Kafka.
                    for server in (redis, kafka):
                        if server.start():
                            self._started.append(server)
                    break
                except StartError:
                    self._stop_started()
                    if self._port_base is not None or attempt == _ATTEMPTS:
                        raise
                except BaseException:
                    # A missing java or Ctrl-C: nobody holds this stack who could stop it.
                    self._stop_started()
                    raise
            code_key(self.folder)
        return self

    def stop(self) -> None:
        """Ends both servers, whoever started them; their data stays. A no-op if none runs."""
        if not self.exists:
            return
        with exclusive(self.folder / "lock"):
            for server in reversed(self._load()):
                server.stop()
            self._started.clear()

    def environment(self) -> dict[str, str]:
        """KAFKA_BOOTSTRAP, REDIS_URL and HUITOU_CODE_KEY."""
        return {
            KAFKA_VARIABLE: self.kafka,
            REDIS_VARIABLE: self.redis_url,
            CODE_KEY_VARIABLE: code_key(self.folder),
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        with exclusive(self.folder / "lock"):
            self._stop_started()

    def _stop_started(self) -> None:
        while self._started:
            self._started.pop().stop()

    def _place(self) -> tuple[KafkaProcess, RedisProcess]:
        """The servers on the ports of the last start, or on new ones where those are of no use."""
        if self.exists:
            kafka, redis = self._load()
            if kafka.running or redis.running or self._usable(kafka, redis):
                return kafka, redis
        ports = Ports(*pick(3, self._port_base))
        write_whole(self._state, json.dumps(asdict(ports)))
        self._servers = None
        return self._load()

    def _usable(self, kafka: KafkaProcess, redis: RedisProcess) -> bool:
        """Whether the stopped servers' ports are those asked for, and still free."""
        if self._port_base is not None:
            return kafka.port == self._port_base
        return all(map(is_free, (kafka.port, kafka.controller_port, redis.port)))

    def _load(self) -> tuple[KafkaProcess, RedisProcess]:
        if self._servers is None:
            try:
                ports = Ports(**json.loads(self._state.read_text(encoding="utf-8")))
            except FileNotFoundError:
                raise LocalStackError(
                    f"There is no stack in {self.folder}: start one with `huitou stack up`."
                ) from None
            self._servers = (
                KafkaProcess(self.folder / "kafka", ports.kafka, ports.controller),
                RedisProcess(self.folder / "redis", ports.redis),
            )
        return self._servers


class GivenStack:
    """Servers that somebody else runs: nothing is started, nothing is stopped."""

    def __init__(self, kafka: str, redis_url: str, folder: Path) -> None:
        self.kafka = kafka
        self.redis_url = redis_url
        self._folder = folder

    def start(self) -> Self:
        return self

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def environment(self) -> dict[str, str]:
        """As LocalStack's; the code key is HUITOU_CODE_KEY, else one kept in the stack's folder."""
        return {
            KAFKA_VARIABLE: self.kafka,
            REDIS_VARIABLE: self.redis_url,
            CODE_KEY_VARIABLE: os.environ.get(CODE_KEY_VARIABLE) or code_key(self._folder),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def default_folder() -> Path:
    """Where `huitou stack` keeps its data unless told otherwise."""
    return user_folder("XDG_STATE_HOME", ".local/state") / "stack"


def choose_stack(
    folder: Path | None = None,
    port_base: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Stack:
    """The servers of KAFKA_BOOTSTRAP and REDIS_URL where both are set, else a local stack.

    Starts nothing. Raises LocalStackError when only one of the two is set.
    """
    variables = os.environ if environment is None else environment
    kafka, redis_url = variables.get(KAFKA_VARIABLE), variables.get(REDIS_VARIABLE)
    folder = folder or default_folder()
    if kafka and redis_url:
        return GivenStack(kafka, redis_url, folder)
    if kafka or redis_url:
        missing, present = (
            (REDIS_VARIABLE, KAFKA_VARIABLE) if kafka else (KAFKA_VARIABLE, REDIS_VARIABLE)
        )
        raise LocalStackError(
            f"{present} is set and {missing} is not: set both to use servers that run elsewhere, "
            "or none for a local stack."
        )
    return LocalStack(folder, port_base)


def code_key(folder: Path) -> str:
    """The stack's key for coupon codes: 256 random bits in hex, made once, mode 0600."""
    path = folder / "code_key"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "code_key.lock"):
        if not path.exists():
            write_whole(path, secrets.token_hex(32), mode=0o600)
        return path.read_text(encoding="utf-8")
