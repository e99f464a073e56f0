"""How many recorded events a backtest of three templates decodes, folds and decides in a second of one core.

python -m tests.benchmarks.backtest --json backtest.json

Reading from Kafka is not in it: that goes on beside it in librdkafka's threads. Exit code 1: the target is
missed.
"""

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from producers.source import Record
from schemas.catalogue import CUSTOMER_TOPICS
from schemas.decoding import Decoded, Decoder, RawRecord
from streams.authoring.files import check_files
from streams.backtest.partition import PartitionRun
from streams.backtest.recorded import Recorded
from streams.backtest.running import judging_of
from streams.campaigns.language.definition.definition import CampaignDefinition
from streams.domain.shop import ShopSettings
from tests.benchmarks import report
from tests.benchmarks.fold import EVENTS, mixed_load

#: Events a second of one core.
TARGET: Final = 50_000
_TEMPLATES: Final = Path(__file__).parents[2] / "streams" / "campaigns" / "templates"
NAMES: Final = ("abandoned-cart", "second-order", "new-visitor-welcome")
_CHUNK: Final = 5_000


def measure(events: int, repetitions: int) -> dict[str, Any]:
    """The median rate, and what was decided, which is the same each time."""
    topics = _by_topic(mixed_load(events))
    files = check_files([_TEMPLATES / f"{name}.yaml" for name in NAMES])
    campaigns = [each.definition for each in files if each.definition is not None]
    rates, decided = [], 0
    total = sum(map(len, topics.values()))
    for number in range(repetitions):
        report.say(f"backtest, repetition {number + 1} of {repetitions}")
        seconds, decided = _run(topics, campaigns)
        rates.append(total / seconds)
    rate = report.middle(rates)
    return {
        "events_per_second": rate, "events": total, "decisions": decided, "target": TARGET,
        "met": rate >= TARGET,
    }  # fmt: skip


def show(result: dict[str, Any]) -> None:
    """What ``measure`` gave, for people."""
    report.console.print(
        f"backtest: {result['events_per_second']:,.0f} events a second of one core, {result['decisions']:,} "
        f"decisions of {result['events']:,} events; target: {TARGET:,}: "
        f"{'met' if result['met'] else 'MISSED'}"
    )


def _by_topic(records: list[Record]) -> dict[str, list[RawRecord]]:
    found: dict[str, list[RawRecord]] = defaultdict(list)
    for record in records:
        held = found[record.topic]
        # No event is too far in the future.
        held.append(RawRecord(record.topic, 0, len(held), 1 << 41, record.key, record.value))
    return found


def _run(
    topics: dict[str, list[RawRecord]], campaigns: list[CampaignDefinition]
) -> tuple[float, int]:
    judging = judging_of(campaigns)
    decoder = Decoder(1, {topic: topic for topic in topics})
    decided = 0

    def count(*_: object) -> None:
        nonlocal decided
        decided += 1

    shop = ShopSettings("simulated", "Asia/Shanghai", "CNY")
    run = PartitionRun("simulated", judging, lambda _: shop, 5_000, 0, 1 << 42, count)
    gc.collect()
    gc.disable()
    began = time.process_time()
    run.run([_recorded(decoder, topics[topic]) for topic in CUSTOMER_TOPICS if topic in topics])
    seconds = time.process_time() - began
    gc.enable()
    return seconds, decided


def _recorded(decoder: Decoder, records: list[RawRecord]) -> Iterator[Recorded]:
    for first in range(0, len(records), _CHUNK):
        chunk = records[first : first + _CHUNK]
        for record, item in zip(chunk, decoder.decode_many(chunk, 1 << 62), strict=True):
            if not isinstance(item, Decoded):
                raise SystemExit(f"record {record.offset} is a dead letter: {item}")
            yield Recorded(
                item.time_ms,
                item.event,
                record.timestamp,
                record.topic,
                0,
                record.offset,  # type: ignore[arg-type]
            )


if __name__ == "__main__":
    sys.exit(report.command(__doc__, measure, show, EVENTS))
