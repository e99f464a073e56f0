"""Where the recorded histories come from: the simulator, the fault run's shopping; each has a seed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import get_args

from producers.simulator import Mischief, Simulator
from producers.source import Record
from schemas.catalogue import CLICKS, PROFILES, SERVICE, WISHES
from schemas.deadletter import Reason
from tests.faults.shopping import Shopping
from tests.histories.folding import Event

#: 2024-06-01T00:00:00Z
START_MS = 1_717_200_000_000
EVENTS = 300
#: Of this many clicks one is kept: there are a hundred for an order.
CLICKS_A_KEPT_ONE = 8
#: Neither fits a partition of its own, or a file that people read.
_LEFT_OUT = ("wrong_partition", "body_too_large")
_REASONS = tuple(reason for reason in get_args(Reason) if reason not in _LEFT_OUT)

#: Few that come often, many that come once, and everything that goes wrong upstream.
HISTORIES: Mapping[str, tuple[int, int, float, Mischief]] = {
    "regulars": (1, 12, 1.0, Mischief(0.0, 0.0, 0.0)),
    "crowd": (2, 60, 1.0, Mischief(0.0, 0.0, 0.0)),
    "mischief": (3, 10, 1.0, Mischief(0.08, 0.08, 0.08, reasons=_REASONS)),
}
#: Those whom the simulator does not know: who ask, wish, say who they are and are erased.
CONTACT = "contact"
CONTACT_SEED, CONTACT_CUSTOMERS, CONTACT_STEP_MS = 4, 8, 20_000


def make(name: str) -> list[Event]:
    """The first ``EVENTS`` records of a history, the same in every process."""
    if name == CONTACT:
        return list(islice(_contact(), EVENTS))
    seed, customers, activity, mischief = HISTORIES[name]
    simulator = Simulator(seed, customers, START_MS, activity=activity, mischief=mischief)
    return [
        Event(record.topic, record.at_ms, _text(record.key), _text(record.value))
        for record in islice(_thinned(simulator.records()), EVENTS)
    ]


def _contact() -> Iterator[Event]:
    """All service events, wishes and profiles, and one in eight of the others."""
    shopping, others = Shopping(CONTACT_SEED, CONTACT_CUSTOMERS), count()
    for at_ms in count(START_MS, CONTACT_STEP_MS):
        for topic, key, value in shopping.at(at_ms):
            if topic in (SERVICE, WISHES, PROFILES) or next(others) % 8 == 0:
                yield Event(topic, at_ms, key, value.decode())


def _thinned(records: Iterator[Record]) -> Iterator[Record]:
    clicks = 0
    for record in records:
        if record.topic == CLICKS:
            clicks += 1
            if clicks % CLICKS_A_KEPT_ONE:
                continue
        yield record


def write(events: list[Event], path: Path) -> None:
    lines = (json.dumps(asdict(event), ensure_ascii=False) for event in events)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode()
