"""Verify finds each single record of shop.triggers that is not as the log says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.catalogue import TRIGGERS
from tests.engine.scenario import ShopDay
from tests.verify.damage import DAMAGED, Rewritable, altered, check, differences, name_of


@pytest.fixture
def triggers(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, TRIGGERS)
    yield topic
    topic.mend()


def test_a_missing_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    first, *others = triggers.records
    triggers.replace(others)
    report = check(day)
    assert differences(report) == [("trigger", "missing", name_of(first))]
    assert report.triggers.compared == len(triggers.records)
    assert not report.agree


def test_an_extra_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    extra = altered(triggers.records[0], lambda event: event.update(id="stranger"))
    triggers.append([extra])
    report = check(day)
    assert differences(report) == [("trigger", "extra", "stranger")]
    assert "no commit issued" in report.differences[0].detail
    assert not report.agree


def test_a_trigger_that_was_published_twice_is_found(day: ShopDay, triggers: Rewritable) -> None:
    again = triggers.records[-1]
    triggers.append([again])
    report = check(day)
    assert differences(report) == [("trigger", "extra", name_of(again))]
    assert "published again" in report.differences[0].detail


def test_a_record_that_is_no_trigger_is_found(day: ShopDay, triggers: Rewritable) -> None:
    triggers.append([(b"c", b"no json")])
    ((subject, kind, name),) = differences(check(day))
    assert (subject, kind) == ("trigger", "extra")
    assert f"[{DAMAGED}]@" in name


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "data.offer.value": lambda event: event["data"]["offer"].update(value=99),
    "data.offer.code": lambda event: event["data"]["offer"].update(code="GUESSED"),
    "data.seq": lambda event: event["data"].update(seq=event["data"]["seq"] + 1),
    "data.cause.offset": lambda event: event["data"]["cause"].update(offset=99),
    "data.cause.type": lambda event: event["data"].update(cause={"type": "timer", "due": 1}),
    "data.customer_id": lambda event: event["data"].update(customer_id="another"),
    "time": lambda event: event.update(time="2020-01-01T00:00:00Z"),
    "new": lambda event: event.update(new=1),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_trigger_is_found_and_its_field_named(
    day: ShopDay, triggers: Rewritable, field: str
) -> None:
    first, *others = triggers.records
    triggers.replace([altered(first, CHANGES[field]), *others])
    report = check(day)
    assert differences(report) == [("trigger", "different", name_of(first))]
    assert f"{field}: log " in report.differences[0].detail


def test_a_trigger_under_another_key_is_found(day: ShopDay, triggers: Rewritable) -> None:
    first, *others = triggers.records
    triggers.replace([(b"another", first[1]), *others])
    report = check(day)
    assert differences(report) == [("trigger", "different", name_of(first))]
    assert "key: log" in report.differences[0].detail


def test_triggers_in_another_order_are_the_same_triggers(
    day: ShopDay, triggers: Rewritable
) -> None:
    triggers.replace(triggers.records[::-1])
    assert check(day).agree
