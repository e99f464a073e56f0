"""Judges a drained stack: `huitou verify` over the log, and the oracle over what was published."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from schemas.catalogue import DECISIONS, EXCHANGE
from schemas.partitioner import partition_of
from streams.domain.state import CustomerState
from streams.settings import Settings
from streams.state.codec import decode
from streams.verify.verify import verify
from tests.engine.harness import Bench
from tests.faults.source import SHARDS, read_back
from tests.faults.stages import Observer
from tests.faults.tally import EXAMPLES, Verdict
from tests.oracle.described import described_figures
from tests.oracle.events import Published
from tests.oracle.expected import Expected, ExpectedTrigger, expect

#: By the campaigns' own files: a customer who withdrew all of them gets none of its coupons.
CHANNELS: Final = {
    "abandoned-cart": {"app_push", "sms"}, "second-order": {"app_push", "sms"},
    "bad-review": {"app_push", "chat"},
}  # fmt: skip
Said = dict[str, list[dict[str, Any]]]


def judge(settings: Settings, published: Path, observer: Observer) -> Verdict:
    """Call it while no worker runs. ``published``: the folder of the source's copies."""
    verdict = Verdict()
    _verify(settings, verdict)
    bench = Bench(settings)
    found, refused = _by_trigger(bench.triggers()), _by_trigger(bench.read(DECISIONS))
    decisions = Counter(data["decision_id"] for said in refused.values() for data in said)
    for name, copies in decisions.items():
        if copies > 1:
            verdict.note("duplicates", f"refusal {name} came {copies} times", copies - 1)
    events: Counter[tuple[str, str]] = Counter()
    for shard in range(SHARDS):
        sent = read_back(published, shard)
        expected, withdrawn = expect(sent), _withdrawn(sent)
        events.update({(topic, "applied"): n for topic, n in expected.events.items()})
        events.update({(topic, "duplicate"): n for topic, n in expected.duplicates.items()})
        _compare_triggers(expected, found, refused, withdrawn, verdict)
        _compare_figures(expected, bench, verdict)
    for name, copies in found.items():
        words = f"trigger {name} was issued, none is due: {copies}"
        verdict.note("different", words, len(copies))
    # How many facts were told depends on what came first; none of them may be unreadable.
    counted = {
        key: count
        for key, count in observer.counted().items()
        if key[0] != EXCHANGE or key[1] == "dead_letter"
    }
    for key in {*events, *counted}:
        if events.get(key, 0) != counted.get(key, 0):
            words = f"{key[0]}: {counted.get(key, 0)} {key[1]}, {events.get(key, 0)} by the oracle"
            verdict.note("different", words)
    return verdict


def _verify(settings: Settings, verdict: Verdict) -> None:
    report = verify(settings, limit=EXAMPLES)
    verdict.verified = report.events
    verdict.lost += report.total.missing + report.unprocessed
    verdict.duplicates += report.total.extra
    verdict.different += report.total.different
    verdict.examples += map(str, report.differences)


def _by_trigger(events: Iterable[Mapping[str, Any]]) -> Said:
    said: Said = {}
    for event in events:
        said.setdefault(event["data"]["trigger_id"], []).append(event["data"])
    return said


def _withdrawn(sent: Iterable[Published]) -> dict[str, set[str]]:
    """Customer -> channels that they ever said no to."""
    found: dict[str, set[str]] = {}
    for event in sent:
        for channel, given in (event.value["data"].get("consent") or {}).items():
            if not given:
                found.setdefault(event.key, set()).add(channel)
    return found


def _compare_triggers(
    expected: Expected,
    found: Said,
    refused: Said,
    withdrawn: Mapping[str, set[str]],
    verdict: Verdict,
) -> None:
    """Takes out of ``found`` what is expected. Which of its channels a customer had withdrawn by then follows
    from what was folded first, so no more than that they ever did is asked for."""
    for name, trigger in expected.triggers.items():
        copies, silent = found.pop(name, []), withdrawn.get(trigger.customer_id, set())
        wanted = CHANNELS[trigger.campaign]
        for copy in copies:
            if not wanted - silent <= set(copy["channels"]) <= wanted:
                verdict.note("different", f"trigger {name} goes to {copy['channels']}")
        if not copies:
            if wanted <= silent and any(
                one["reason"] == "consent" for one in refused.get(name, ())
            ):
                continue
            verdict.note("lost", f"no trigger {name}: {trigger}")
            continue
        if len(copies) > 1:
            words = f"trigger {name} came {len(copies)} times"
            verdict.note("duplicates", words, len(copies) - 1)
        for copy in copies:
            if not _same(trigger, copy):
                verdict.note("different", f"trigger {name}: {copy}, expected {trigger}")


def _same(trigger: ExpectedTrigger, data: dict[str, Any]) -> bool:
    cause = data["cause"]
    return (trigger.campaign, trigger.shop_id, trigger.customer_id, trigger.due) == (
        data["campaign"],
        data["shop_id"],
        data["customer_id"],
        cause.get("due"),
    )


def _compare_figures(expected: Expected, bench: Bench, verdict: Verdict) -> None:
    """Every field that the oracle knows, of every customer."""
    customers = list(expected.customers.items())
    for first in range(0, len(customers), 1_000):
        some = customers[first : first + 1_000]
        for (name, figures), state in zip(some, _states(bench, [n for n, _ in some]), strict=True):
            if state is None:
                verdict.note("lost", f"no state of {name}")
                continue
            right, stored = (
                dataclasses.asdict(figures),
                dataclasses.asdict(described_figures(state)),
            )
            wrong = {
                field: (stored[field], right[field])
                for field in right
                if right[field] != stored[field]
            }
            if wrong:
                words = f"state of {name}: found, expected {wrong}"
                verdict.note("different", words, len(wrong))


def _states(bench: Bench, names: Iterable[tuple[str, str]]) -> list[CustomerState | None]:
    keys = [
        bench.store.keys(partition_of(customer.encode(), bench.settings.partitions)).state(
            f"{shop}/{customer}"
        )
        for shop, customer in names
    ]
    values = cast(list[bytes | None], bench.redis.mget(keys))
    return [None if value is None else decode(value) for value in values]
