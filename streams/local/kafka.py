"""One Apache Kafka broker in KRaft mode, broker and controller in one process."""

import base64
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.local import tools
from streams.local.coordinator_loading import CoordinatorLoading
from streams.local.errors import StartError
from streams.local.files import write_whole
from streams.local.growing_file import GrowingFile
from streams.local.jars import kafka_class_path
from streams.local.ports import is_listening
from streams.local.process import ServerProcess

_START_SECONDS = 90.0
#: Starts until the group coordinator comes back with what it stored; the second always did.
_LOADS = 3

#: One broker with few partitions of its own, and nothing that waits for company.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}

# `huitou topics create` makes the topics; a mistyped name must fail.
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A stopped stack keeps its consumers' offsets: 400 days, as long as its topics.
offsets.retention.minutes=576000
group.initial.rebalance.delay.ms=0
# After a crash the broker must wait for its own former session to expire; the default is 9 s.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Tests freeze workers past their session time-out.
group.min.session.timeout.ms=1000
# A crashed worker's transaction is aborted soon after its time-out, not up to 10 s later.
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

# The default takes 128 MB of the heap.
log.cleaner.dedupe.buffer.size=16777216
"""


class KafkaProcess(ServerProcess):
    """The broker of a stack: ``bootstrap`` is its address. Faults tests kill and restart it."""

    #: What it logs; a subclass may have more.
    log4j = Path(__file__).with_name("log4j2.properties")

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        super().__init__("Kafka", folder, (port, controller_port))
        self.port = port
        self.controller_port = controller_port
        self.bootstrap = f"127.0.0.1:{port}"
        #: Topics' logs.
        self.data = folder / "data"

    def start(self) -> bool:
        """Blocks until the broker answers and knows its groups, 3 to 5 s; False if it runs already.

        After a crash its group coordinator may come back mixed up (coordinator_loading.py): it is then
        started anew. Raises MissingToolError without Java, LocalStackError without jars, StartError with
        the last lines of its log when it does not come up.
        """
        if self.running:
            return False
        java, class_path = tools.require(tools.JAVA), kafka_class_path()
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        write_whole(properties, self.properties())
        common = [f"-Dlog4j2.configurationFile={self.log4j}", "-cp", class_path]
        self._format([java, "-XX:TieredStopAtLevel=1", *common], properties)
        # The default heap is a quarter of the machine; a local broker is content with this.
        server = [java, "-Xms256m", "-Xmx768m", "-XX:+ExitOnOutOfMemoryError", *common]
        for _ in range(_LOADS):
            mixed = self.run_once([*server, "kafka.Kafka", str(properties)])
            if not mixed:
                return True
            self.stop()
        raise StartError(
            f"Kafka's group coordinator mixed up its loading of {', '.join(mixed)} {_LOADS} times; "
            f"the broker's log is {self.log}."
        )

    def run_once(self, command: list[str]) -> list[str]:
        """Starts the broker; returns what its group coordinator has loaded wrongly."""
        stored = sum(1 for _ in self.data.glob("__consumer_offsets-*"))
        loading = CoordinatorLoading()
        log = GrowingFile(self.log)
        log.skip()

        def ready() -> bool:
            if not self._answers():
                return False
            loading.read(log.lines())
            return loading.ended >= stored

        self.launch(command, ready, _START_SECONDS)
        return loading.mixed

    def properties(self) -> str:
        """The text of its server.properties; a subclass may add lines, of equal keys the last holds."""
        return _PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, data=self.data
        )

    def restart(self) -> None:
        """An orderly stop and a start, on the same port with the same data."""
        self.stop()
        self.start()

    def _format(self, java: list[str], properties: Path) -> None:
        """Writes a cluster id into an empty data folder, as Kafka wants before its first start."""
        if (self.data / "meta.properties").exists():
            return
        # Kafka's own form: 16 random bytes in URL-safe base64 without padding.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if cluster.startswith("-"):  # would be read as an option
            cluster = "A" + cluster[1:]
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster]
        done = subprocess.run(
            [*java, *tool, "--config", str(properties)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartError(
                f"Kafka could not format {self.data}: {done.stdout}{done.stderr}\n"
                "If its data is of no use any more, remove that folder and start again."
            )

    def _answers(self) -> bool:
        """Whether the broker is registered and serves clients."""
        if not is_listening(self.port):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=2.0).brokers)
        except KafkaException:
            return False
