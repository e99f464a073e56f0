"""A history folded by the pure processor alone, as lines of text that a diff shows well."""

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.catalogue import (
    CUSTOMER_TOPICS,
    DEADLETTERS,
    DECISIONS,
    EXCHANGE,
    TRIGGERS,
    VERDICTS,
)
from schemas.clock import WALL
from schemas.decoding import Decoder, RawRecord
from schemas.journal import ClockState
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.engine.commit import Commit, Fetched, OutRow, Position, Stamp
from streams.engine.draft import Draft
from streams.engine.partition import NEW_POSITION
from streams.engine.process import PartitionProcessor
from streams.state.codec import CODEC_VERSION, encode
from streams.state.codes import CouponCodes
from tests.definitions import NO_DEFINITIONS

RECORDED = Path(__file__).parent / "recorded"
#: Events so near to each other come in one bundle; timers fire between two bundles.
BUNDLE_MS = 600_000
LATENESS_MS = 5_000
#: After the last event, so that every cart left by then is found abandoned.
REST_MS = 86_400_000


@dataclass(frozen=True)
class Event:
    """A record as upstream sent it; ``at_ms`` is its append time, ms."""

    topic: str
    at_ms: int
    key: str | None
    value: str | None


def names() -> list[str]:
    return sorted(path.name.removesuffix(".events.jsonl") for path in _recorded("events"))


def events_path(name: str) -> Path:
    return RECORDED / f"{name}.events.jsonl"


def outcome_path(name: str) -> Path:
    return RECORDED / f"{name}.outcome.jsonl"


def outcome_names() -> list[str]:
    return sorted(path.name.removesuffix(".outcome.jsonl") for path in _recorded("outcome"))


def _recorded(kind: str) -> Iterator[Path]:
    return RECORDED.glob(f"*.{kind}.jsonl")


def read_events(path: Path) -> list[Event]:
    with path.open(encoding="utf-8") as lines:
        return [Event(**json.loads(line)) for line in lines]


def fold_history(events: list[Event]) -> str:
    """What came out, a line each: rows as they are published, then counts, then end states."""
    return "".join(f"{line}\n" for line in _Folding().run(events))


class _Folding:
    """Partition 0 of 1, in memory."""

    def __init__(self) -> None:
        self._processor = PartitionProcessor(
            0,
            Decoder(1, {topic: topic for topic in CUSTOMER_TOPICS}),
            CouponCodes("history", "1"),
            triggers_topic=TRIGGERS,
            verdicts_topic=VERDICTS,
            decisions_topic=DECISIONS,
            deadletters_topic=DEADLETTERS,
            exchange_topic=EXCHANGE,
            partitions=1,
        )
        self._definitions = NO_DEFINITIONS
        self._position = NEW_POSITION
        self._states: dict[str, CustomerState] = {}
        self._timers: dict[str, int] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ends: Counter[str] = Counter()

    def run(self, events: list[Event]) -> Iterator[str]:
        for bundle in _bundles(events):
            # Ticks until now: what is due fires before any later event.
            for row in self._fire(bundle[0].at_ms - LATENESS_MS):
                yield _row(row)
            for row in self._fold(bundle):
                yield _row(row)
        for row in self._fire(events[-1].at_ms + REST_MS):
            yield _row(row)
        for (topic, outcome), count in sorted(self._counts.items()):
            yield json.dumps({"topic": topic, "outcome": outcome, "records": count})
        for key, state in sorted(self._states.items()):
            yield _state(key, state, self._timers.get(key))

    def _fold(self, bundle: list[Event]) -> list[OutRow]:
        fetched = []
        for topic in CUSTOMER_TOPICS:
            start = self._ends[topic]
            records = [
                RawRecord(topic, 0, start + at, one.at_ms, _bytes(one.key), _bytes(one.value))
                for at, one in enumerate(event for event in bundle if event.topic == topic)
            ]
            if records:
                self._ends[topic] += len(records)
                fetched.append(Fetched(topic, start, start + len(records), records))
        work = self._processor.prepare(fetched, bundle[0].at_ms)
        rows: list[OutRow] = []
        while not work.done:
            draft = self._processor.fold(self._position, work, self._states, {}, self._definitions)
            rows += self._commit(draft)
        return rows

    def _fire(self, watermark: int) -> list[OutRow]:
        rows: list[OutRow] = []
        while due := heapq.nsmallest(
            500, ((at, key) for key, at in self._timers.items() if at <= watermark)
        ):
            pairs = [(key, at) for at, key in due]
            rows += self._commit(
                self._processor.fire(self._position, pairs, self._states, {}, self._definitions)
            )
        return rows

    def _commit(self, draft: Draft) -> list[OutRow]:
        commit: Commit = draft.finish(STAMP)
        self._position = Position(commit.position.seq, commit.position.chain)
        self._counts.update(commit.counts)
        for key, due in commit.timers.items():
            if due is None:
                self._timers.pop(key, None)
            else:
                self._timers[key] = due
        return commit.rows


#: The circumstances of every commit that is folded without a worker.
STAMP = Stamp(1, ClockState(WALL, 0, 0, 1.0, 0), 0, {}, "history", CODEC_VERSION, "history", "1")


def _bundles(events: list[Event]) -> Iterator[list[Event]]:
    bundle: list[Event] = []
    for event in events:
        if bundle and event.at_ms - bundle[0].at_ms >= BUNDLE_MS:
            yield bundle
            bundle = []
        bundle.append(event)
    if bundle:
        yield bundle


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _row(row: OutRow) -> str:
    """The value stands in the line as it is published, byte for byte."""
    key = (row.key or b"").decode()
    return f'{{"topic": "{row.topic}", "key": {json.dumps(key)}, "value": {row.value.decode()}}}'


def _state(key: str, state: CustomerState, due: int | None) -> str:
    """The digest says that the bytes differ, the rest in what."""
    encoded = encode(state)
    digest = hashlib.blake2b(encoded, digest_size=16).hexdigest()
    shown = describe(state, ShopSettings(state.shop_id))
    return json.dumps(
        {"state": key, "due": due, "bytes": len(encoded), "digest": digest, **shown},
        ensure_ascii=False,
    )
