"""Verify finds each single record of shop.decisions that is not as the log says."""

from collections.abc import Iterator

import pytest

from schemas.catalogue import DECISIONS
from tests.engine.scenario import ShopDay
from tests.verify.damage import Rewritable, altered, check, differences, name_of


@pytest.fixture
def refusals(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, DECISIONS)
    yield topic
    topic.mend()


def test_the_day_has_refusals_and_they_agree(day: ShopDay, refusals: Rewritable) -> None:
    report = check(day)
    assert report.agree
    assert report.decisions.compared == len(refusals.records) >= 3


def test_a_missing_refusal_is_found(day: ShopDay, refusals: Rewritable) -> None:
    first, *others = refusals.records
    refusals.replace(others)
    assert differences(check(day)) == [("decision", "missing", name_of(first))]


def test_an_extra_refusal_is_found(day: ShopDay, refusals: Rewritable) -> None:
    refusals.append([altered(refusals.records[0], lambda event: event.update(id="stranger"))])
    assert differences(check(day)) == [("decision", "extra", "stranger")]


def test_a_refusal_that_was_published_twice_is_found(day: ShopDay, refusals: Rewritable) -> None:
    again = refusals.records[-1]
    refusals.append([again])
    assert differences(check(day)) == [("decision", "extra", name_of(again))]


def test_a_changed_refusal_is_found_and_its_field_named(day: ShopDay, refusals: Rewritable) -> None:
    first, *others = refusals.records
    refusals.replace([altered(first, lambda e: e["data"].update(reason="brushed")), *others])
    report = check(day)
    assert differences(report) == [("decision", "different", name_of(first))]
    assert "data.reason: log " in report.differences[0].detail
