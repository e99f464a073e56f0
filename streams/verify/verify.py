"""All partitions, one after another: only the states of one are in memory at a time."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from streams.archive.logs import Logs
from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.definitions_reader import DefinitionsReader
from streams.engine.log import PATIENCE_SECONDS
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.settings import Settings
from streams.state.codes import CouponCodes
from streams.state.connection import connect
from streams.verify.journal import JournalTail
from streams.verify.partition import PartitionVerifier, Progress
from streams.verify.replay import Replay
from streams.verify.report import EXPLAINED, Report
from streams.verify.stored import StoredPartition


def no_progress(_: int, __: int, ___: int) -> None:
    """For callers that do not show any."""


def verify(
    settings: Settings,
    partitions: Iterable[int] | None = None,
    *,
    progress: Progress = no_progress,
    limit: int = EXPLAINED,
    patience: float = PATIENCE_SECONDS,
    archive: Path | None = None,
) -> Report:
    """Folds the log of these partitions (default: all) again and compares.

    ``progress`` is told each commit; ``limit`` differences are explained, all are counted;
    ``patience`` is how many seconds a commit that Redis has may take to be published; ``archive`` is
    the folder of an archive for what the topics no longer have. Reads only,
    and blocks for about as long as folding takes. Raises ValueError for a partition that does not
    exist or a missing HUITOU_CODE_KEY, and what Redis, Kafka and the definitions raise when they
    do not answer.
    """
    wanted = list(range(settings.partitions)) if partitions is None else list(partitions)
    for number in wanted:
        if not 0 <= number < settings.partitions:
            raise ValueError(f"partition {number}: this stack has 0 to {settings.partitions - 1}")
    topics = TopicNames.of(settings.topic_prefix)
    made = processors(settings, topics)
    codes = CouponCodes(settings.code_key.get_secret_value(), settings.code_key_id)
    report = Report(limit=limit)
    logs = Logs(settings.kafka_bootstrap, archive, patience)
    with ExitStack() as stack:
        definitions = DefinitionsReader(settings)
        stack.callback(definitions.stop)
        definitions.start()
        journal = stack.enter_context(logs.reader())
        published = stack.enter_context(logs.reader())
        redis = stack.enter_context(closing(connect(settings.redis_url)))
        log = stack.enter_context(logs.along())
        for number in wanted:
            PartitionVerifier(
                Replay(made[number], topics, definitions, log, published, report),
                JournalTail(journal, topics.journal, number, patience),
                StoredPartition(redis, settings.redis_prefix, number),
                topics,
                published,
                Author(build(), configuration_digest()),
                codes,
                report,
                progress,
            ).run()
    return report
