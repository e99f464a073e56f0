"""What a hundred campaigns cost beside one: folding an event, and finding and asking all whom it concerns.

python -m tests.benchmarks.listening --json listening.json

All campaigns listen to triggers that the load has, each asks three figures of the state, and half of them ask
what customers of the load have. Exit code 1: that misses its target. Beside it, without a target: the same
with the arbiter, and the trigger or refusal of each that was earned.
"""

import gc
import sys
import time
from typing import Any, Final, NamedTuple

from producers.source import Record
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.events import CustomerEvent
from streams.authoring.files import check_text
from streams.campaigns.answering import answer
from streams.campaigns.applied.history import Version
from streams.campaigns.language.definition.definition import canonical, version_of
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.index import Index
from streams.campaigns.listening.moments import moments_of
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state
from tests.benchmarks import report
from tests.benchmarks.fold import EVENTS, mixed_load

CAMPAIGNS: Final = 100
#: How many times one campaign's cost a hundred may have.
TARGET: Final = 2.0
#: In their turn. One campaign alone has the first, which of these hears most.
_TRIGGERS: Final = (
    "{came_by: {sources: [search, recommend, direct_train, live, store, wish, message, share, other]}}",
    "order_paid", "first_visit", "{review_posted: {at_most: 5}}", "order_refunded", "wish_made",
    "case_resolved", "{lifecycle: {to: [new, active, repeat]}}", "live_entered", "store_visited",
)  # fmt: skip
#: What half of them ask, and the other half, of whom there is nobody.
_AUDIENCES: Final = (
    '{orders.net.count: ">=0", rfm.m: ">=1", lifecycle: [visitor, new, active, repeat]}',
    '{orders.net.count: ">=1000", rfm.m: ">=1", lifecycle: [visitor, new, active, repeat]}',
)
_TEXT: Final = """
campaign: c{number}
audience: {audience}
trigger: {trigger}
offer: {{message: {{text: hello}}}}
limits: {{per_customer: 1/total, priority: {priority}}}
delivery: {{channels: sms}}
"""


class Run(NamedTuple):
    """CPU of one core for each event, and how often campaigns were asked and were for the customer."""

    us: float
    asked: int
    fitted: int


def measure(events: int, repetitions: int) -> dict[str, Any]:
    """Medians of interleaved runs over ``events`` of the first four topics, and the newer ones among them."""
    load, shop = _decoded(mixed_load(events))
    hundred = [_version(number) for number in range(CAMPAIGNS)]
    runs: dict[str, list[Run]] = {}
    for number in range(repetitions):
        report.say(f"listening, repetition {number + 1} of {repetitions}")
        for who, campaigns in (("one campaign", hundred[:1]), ("a hundred campaigns", hundred)):
            runs.setdefault(who, []).append(_run(load, shop, Index(campaigns)))
            answered = _run(load, shop, Index(campaigns), answers=True)
            runs.setdefault(f"{who}, answered", []).append(answered)
    costs = {who: report.middle(run.us for run in each) for who, each in runs.items()}
    ratio = costs["a hundred campaigns"] / costs["one campaign"]
    return {
        "us_per_event": costs,
        "asked": {who: each[0].asked for who, each in runs.items()},
        "fitted": {who: each[0].fitted for who, each in runs.items()},
        "events": len(load),
        "times_one_campaign": ratio,
        "target": TARGET,
        "met": ratio < TARGET,
    }


def show(result: dict[str, Any]) -> None:
    """The table of a result of ``measure``."""
    rows = [
        (who, cost, result["asked"][who], result["fitted"][who])
        for who, cost in result["us_per_event"].items()
    ]
    columns = ("", "fold and listen, us an event", "asked", "for the customer")
    report.table("Campaigns: CPU of one core", columns, rows)
    verdict = "met" if result["met"] else "MISSED"
    report.console.print(
        f"a hundred campaigns: {result['times_one_campaign']:.2f} times one; target: less than {TARGET:g} "
        f"times: {verdict}"
    )


def _version(number: int) -> Version:
    text = _TEXT.format(
        number=number,
        trigger=_TRIGGERS[number % len(_TRIGGERS)],
        # Both halves have all triggers.
        audience=_AUDIENCES[number // len(_TRIGGERS) % 2],
        priority=number,
    )
    checked = check_text(text.encode(), f"c{number}")
    if checked.definition is None:
        raise SystemExit(f"campaign {number} is wrong: {checked.problems}")
    definition = checked.definition
    return Version(
        number, version_of(definition), definition, canonical(definition), None, "bench", 0
    )


def _decoded(records: list[Record]) -> tuple[list[tuple[CustomerEvent, int]], ShopSettings]:
    decoder = Decoder(1, {topic: topic for topic in {record.topic for record in records}})
    found = []
    for offset, record in enumerate(records):
        # No event is too far in the future.
        raw = RawRecord(record.topic, 0, offset, 1 << 45, record.key, record.value)
        item = decoder.decode(raw, 0)
        if not isinstance(item, Decoded):
            raise SystemExit(f"record {offset} is a dead letter: {item}")
        found.append((item.event, item.time_ms))
    return found, ShopSettings(found[0][0].data.shop_id, "Asia/Shanghai", "CNY")


def _run(
    load: list[tuple[CustomerEvent, int]],
    shop: ShopSettings,
    index: Index,
    *,
    answers: bool = False,
) -> Run:
    """``answers``: by triggers and refusals, which are counted in place of those who fit."""
    states = {event.subject: new_state(shop.shop_id, event.subject) for event, _ in load}
    asked = fitted = 0
    judging = Judging(index, frozenset())
    gc.collect()
    gc.disable()
    began = time.process_time()
    for event, at in load:
        state = states[event.subject]
        facts = fold(state, event, at, shop)
        moments = () if facts is None else moments_of(facts, event, at, state)
        if moments and answers:
            asked += 1
            fitted += len(answer(judging, moments, state, at, shop, event.id))
        elif moments:
            for candidate in index.candidates(moments, state, at, shop):
                asked += 1
                fitted += candidate.eligible is True
    took = time.process_time() - began
    gc.enable()
    return Run(took / len(load) * 1e6, asked, fitted)


if __name__ == "__main__":
    sys.exit(report.command(__doc__, measure, show, EVENTS))
