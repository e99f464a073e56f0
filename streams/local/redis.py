"""One Redis server that keeps an append-only file, as the engine demands of any Redis."""

from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.local import tools
from streams.local.files import write_whole
from streams.local.ports import is_listening
from streams.local.process import ServerProcess

#: Reading a large append-only file takes its time.
_START_SECONDS = 60.0

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{data}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""

_CLUSTER_CONFIGURATION = """\
cluster-enabled yes
cluster-port {cluster_port}
cluster-config-file nodes.conf
cluster-node-timeout {timeout_ms}
"""


@dataclass(frozen=True)
class ClusterMember:
    """That a server is a node of a Redis Cluster, and how."""

    #: Where the nodes talk to each other.
    port: int
    #: A node that is silent for so long counts as failed.
    timeout_ms: int


class RedisProcess(ServerProcess):
    """The Redis of a stack. Its files are in ``data`` and may be put back to older copies while it
    is stopped, as the faults tests do."""

    def __init__(self, folder: Path, port: int, member: ClusterMember | None = None) -> None:
        super().__init__("Redis", folder, (port, member.port) if member else (port,))
        self.port = port
        self.member = member
        self.url = f"redis://127.0.0.1:{port}/0"
        #: The append-only files.
        self.data = folder / "data"

    def start(self) -> bool:
        """Blocks until the server has read its files and answers; False if it runs already.

        Raises MissingToolError without redis-server, StartError with the last lines of its log.
        """
        if self.running:
            return False
        server = tools.require(tools.REDIS)
        self.data.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "redis.conf"
        text = _CONFIGURATION.format(port=self.port, data=self.data)
        if self.member is not None:
            text += _CLUSTER_CONFIGURATION.format(
                cluster_port=self.member.port, timeout_ms=self.member.timeout_ms
            )
        write_whole(configuration, text)
        self.launch([server, str(configuration)], self._answers, _START_SECONDS)
        return True

    def restart(self) -> None:
        """An orderly stop, which writes everything out, and a start on the same port and files."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        """Whether it serves commands: while it reads its files it refuses them."""
        if not is_listening(self.port):
            return False
        with redis.Redis(port=self.port, socket_timeout=2.0, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
