"""The only wiring: settings in, a running worker out."""

import asyncio
import gc
import hashlib

import structlog
import uvloop
from faust import Worker as FaustWorker

from schemas.decoding import Decoder
from streams.app import make_app
from streams.build import build
from streams.campaigns.registry import CAMPAIGNS
from streams.definitions_reader import DefinitionsReader
from streams.engine.clock_ahead import ClockAhead
from streams.engine.clock_reading import ClockReading
from streams.engine.crashpoints import CrashPoints
from streams.engine.cycle import Circumstances, Cycle
from streams.engine.engine import EXIT_DOUBT, Engine, fail
from streams.engine.log import LogReader
from streams.engine.poison import PoisonGuard
from streams.engine.process import PartitionProcessor
from streams.engine.publisher import Publisher, check_metadata_layout
from streams.engine.recovery import Recovery
from streams.engine.repetition import Author, Repetition
from streams.engine.slot import GivenSlot, LeasedSlot
from streams.engine.ticker import Ticker
from streams.engine.topicnames import TopicNames
from streams.operations.health import Health, HealthServer
from streams.operations.logging import configure
from streams.operations.metrics import Metrics
from streams.operations.observing import PublishMetrics, SecondHand
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION
from streams.state.codes import CouponCodes
from streams.state.redis_store import NotSuitable, RedisStore
from streams.topics import check_topics

log = structlog.get_logger(__name__)


def configuration_digest() -> str:
    """Names the configuration that folding and deciding read, apart from code and shop.settings."""
    digest = hashlib.blake2b(digest_size=8)
    for campaign in CAMPAIGNS:
        digest.update(f"{campaign.definition.campaign}={campaign.version};".encode())
    return digest.hexdigest()


def processors(settings: Settings, topics: TopicNames) -> dict[int, PartitionProcessor]:
    """One processor a partition, as worker, recovery and verify use them. Raises ValueError."""
    codes = CouponCodes(settings.code_key.get_secret_value(), settings.code_key_id)
    names = {topic: topic.removeprefix(settings.topic_prefix) for topic in topics.folded}
    decoder = Decoder(settings.partitions, names)
    return {
        number: PartitionProcessor(
            number,
            decoder,
            codes,
            triggers_topic=topics.triggers,
            verdicts_topic=topics.verdicts,
            decisions_topic=topics.decisions,
            deadletters_topic=topics.deadletters,
            exchange_topic=topics.exchange,
            partitions=settings.partitions,
        )
        for number in range(settings.partitions)
    }


class Parts:
    """Everything a worker is made of. Making it checks Redis, the topics and the client's layout."""

    def __init__(self, settings: Settings, build: str) -> None:
        """Raises NotSuitable or ValueError naming what to change, or the servers' own errors."""
        bootstrap = settings.kafka_bootstrap
        self.topics = topics = TopicNames.of(settings.topic_prefix)
        self.metrics = Metrics()
        self.metrics.set_build(build, CODEC_VERSION)
        self.health = Health()
        crash = CrashPoints(settings.crash)
        self._stores = [
            RedisStore(settings.redis_url, settings.redis_prefix, kept_days=settings.aggregate_days)
            for _ in range(3)
        ]
        cycle_store, publisher_store, second_store = self._stores
        cycle_store.check_server()
        cycle_store.load_scripts()
        differences = check_topics(settings)
        if differences:
            raise NotSuitable("; ".join(str(difference) for difference in differences))
        check_metadata_layout(bootstrap)
        self.definitions = DefinitionsReader(settings, self.metrics.bad_definitions().inc)
        made = processors(settings, topics)
        self.slot = (
            LeasedSlot.take(settings.redis_url, settings.redis_prefix, settings.slot_lease, fail)
            if settings.slot is None
            else GivenSlot(settings.slot)
        )
        self.publisher = Publisher(
            bootstrap,
            settings.group,
            f"{settings.group}-{self.slot.name}",
            publisher_store,
            topics.journal,
            topics.customer[0],
            PublishMetrics(self.metrics, topics),
            crash,
            fail,
        )
        guard = PoisonGuard(settings.poison_share, settings.poison_records, settings.poison_window)
        circumstances = Circumstances(
            build, configuration_digest(), settings.code_key_id, int(settings.lateness * 1000)
        )
        # Asked for offsets only, by whichever thread.
        ends_log = LogReader(bootstrap)
        cycle = Cycle(
            topics, cycle_store, made, self.definitions, self.publisher, guard, circumstances,
            self.metrics, crash,
            ClockReading(topics.clock, ends_log, ClockAhead(topics.clock, bootstrap)),
            lambda *pause: self.engine.pause(*pause),
            lambda *resume: self.engine.resume_partition(*resume),
            lambda partition: self.recovery.go_on(partition),
        )  # fmt: skip
        repetition = Repetition(
            topics, cycle_store, bootstrap, made, self.definitions, crash,
            lambda: self.health.beat("poll"), Author(circumstances.build, circumstances.config),
        )  # fmt: skip
        self.recovery = Recovery(
            topics, cycle_store, bootstrap, settings.group, repetition, self.metrics, crash,
            max(1, settings.cache_states // settings.partitions),
        )  # fmt: skip
        self.engine = Engine(
            topics, cycle, self.recovery, self.publisher, guard, self.health, crash
        )
        self.ticker = Ticker(
            bootstrap, topics, settings.tick_interval, self.engine.owned, ends_log,
            self.definitions, lambda: second_hand(), crash, fail,
        )  # fmt: skip
        second_hand = SecondHand(
            self.metrics, self.health, topics, second_store, ends_log, self.publisher,
            self.engine.owned, lambda: self.ticker.ends, self.engine.resume,
            lambda: bool(guard.paused),
        )  # fmt: skip
        self.server = HealthServer(
            self.health, self.metrics, settings.metrics_host, settings.metrics_port
        )

    def start(self) -> int:
        """Start every thread; returns the port of /metrics. Blocks until the definitions are read."""
        port = self.server.start()
        self.slot.start()
        self.definitions.start()
        self.publisher.start()
        self.ticker.start()
        return port

    def stop(self) -> None:
        """After the partitions were released."""
        self.ticker.stop()
        self.publisher.stop()
        self.slot.stop()
        self.definitions.stop()
        self.server.stop()
        for store in self._stores:
            store.close()


def run_worker(settings: Settings | None = None) -> None:
    """Run one worker until a signal; returns after a drained end, ends the process on any doubt."""
    settings = settings or Settings()
    configure(settings.log_level)
    uvloop.install()
    try:
        parts = Parts(settings, build())
        port = parts.start()
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker cannot start
        fail(error)
    log.info(
        "worker starts", build=build(), slot=parts.slot.name, metrics_port=port,
        kafka=settings.kafka_bootstrap, group=settings.group,
    )  # fmt: skip
    app = make_app(settings, parts.slot.name, parts.topics, parts.engine)
    gc.collect()
    gc.freeze()
    gc.disable()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = FaustWorker(
        app,
        loop=loop,
        loglevel="warning",
        quiet=True,
        redirect_stdouts=False,
        override_logging=False,
    )
    worker.spinner = None  # it writes terminal codes into the log
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        # Faust's own crash, of which it has logged the cause.
        if end.code:
            raise SystemExit(EXIT_DOUBT) from end
        raise
    finally:
        parts.stop()
        log.info("worker ends")
