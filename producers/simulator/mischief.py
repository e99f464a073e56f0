"""Bad input on purpose: repeats, late arrivals, and every kind of record that cannot be read."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self, get_args

import msgspec

from producers.source import Record
from schemas.deadletter import Reason
from schemas.envelope import BODY_BYTES

#: A customer that no population has.
_STRANGER: Final = b"stranger"


@dataclass(frozen=True, slots=True)
class Mischief:
    """Shares of good records: published again, published late, and accompanied by a broken one.

    A late record is published 10 s to ``latest_s`` after its event time, at most, a repeat up to
    ``latest_s`` after the first. ``reasons`` are the dead letters to provoke, each as often.
    """

    duplicates: float = 0.01
    late: float = 0.01
    malformed: float = 0.01
    latest_s: float = 1_800.0
    reasons: tuple[Reason, ...] = get_args(Reason)

    @classmethod
    def of(cls, duplicates: float, late: float, malformed: float, partitions: int) -> Self:
        """All kinds of bad records that a stack of ``partitions`` can have: none is misplaced in 1."""
        reasons: tuple[Reason, ...] = get_args(Reason)
        return cls(
            duplicates,
            late,
            malformed,
            reasons=tuple(each for each in reasons if partitions > 1 or each != "wrong_partition"),
        )

    def plant(self, records: Iterator[Record], until_ms: int, seed: int) -> Iterator[Record]:
        """``records`` (by ``at_ms``) with bad ones planted among them, by ``at_ms`` again.

        What would come after ``until_ms`` comes there.
        """
        draw = random.Random(f"mischief {seed}")  # noqa: S311  # no cryptography
        held: list[tuple[int, int, Record]] = []
        number = 0
        for number, record in enumerate(records):
            while held and held[0][0] <= record.at_ms:
                yield heapq.heappop(held)[2]
            fate = draw.random()
            if fate < self.late:
                self._hold(held, record, "late", 10.0, number, until_ms, draw)
                continue
            yield record
            if fate < self.late + self.duplicates:
                self._hold(held, record, "duplicate", 0.0, number, until_ms, draw)
            elif fate < self.late + self.duplicates + self.malformed:
                yield self._broken(record, number, draw)
        while held:
            yield heapq.heappop(held)[2]

    def _hold(
        self,
        held: list[tuple[int, int, Record]],
        record: Record,
        planted: str,
        soonest_s: float,
        number: int,
        until_ms: int,
        draw: random.Random,
    ) -> None:
        delay_ms = int(draw.uniform(soonest_s, max(soonest_s, self.latest_s)) * 1000)
        at_ms = min(record.at_ms + delay_ms, until_ms)
        heapq.heappush(held, (at_ms, number, record._replace(at_ms=at_ms, planted=planted)))

    def _broken(self, record: Record, number: int, draw: random.Random) -> Record:
        """A copy of a good record, with an id of its own and one thing wrong with it."""
        reason = draw.choice(self.reasons)
        event: dict[str, Any] = msgspec.json.decode(record.value or b"")
        event["id"] = f"bad-{event['id']}"[:64]
        key, value = _BREAK[reason](record.key, event)
        return Record(record.at_ms, record.topic, key, value, f"malformed:{reason}")


_Pair = tuple[bytes | None, bytes | None]
_Break = Callable[[bytes | None, dict[str, Any]], _Pair]


def _encoded(event: dict[str, Any], **changes: Any) -> bytes:
    return msgspec.json.encode({**event, **changes})


def _without(event: dict[str, Any], field: str) -> bytes:
    return msgspec.json.encode({name: value for name, value in event.items() if name != field})


_BREAK: Final[dict[Reason, _Break]] = {
    "not_json": lambda key, event: (key, _encoded(event)[:-20]),
    "wrong_type": lambda key, event: (key, _encoded(event, type="shop.unknown.v1")),
    "missing_field": lambda key, event: (key, _without(event, "data")),
    "invalid_value": lambda key, event: (key, _encoded(event, specversion="0.3")),
    "future_time": lambda key, event: (key, _encoded(event, time="2999-01-01T00:00:00Z")),
    "body_too_large": lambda key, event: (key, _encoded(event, padding="x" * BODY_BYTES)),
    "null_key": lambda _, event: (None, _encoded(event)),
    "key_not_subject": lambda _, event: (_STRANGER, _encoded(event)),
    "wrong_partition": lambda key, event: (key, _encoded(event)),
    "null_value": lambda key, _: (key, None),
}
