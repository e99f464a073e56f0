"""Strategies of definitions, from what their fields say of themselves."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from streams.campaigns.language.conditions.kind import ConditionKind
from streams.campaigns.language.definition.definition import DEFINITION, CampaignDefinition
from streams.campaigns.language.definition.offers import (
    MESSAGE,
    SERVICE_TASK,
    SURVEY,
    VALUES,
    Coupon,
    Offer,
    Variant,
)
from streams.campaigns.language.definition.triggers import ReviewPosted, SurveyAnswered
from streams.campaigns.language.kinds import quantities
from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.record import OneOf, Record
from streams.campaigns.language.kinds.scalars import Choice, Flag, Moment, Text, Whole
from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.rate import CALENDAR, Rate
from tests.campaigns.conditions_drawn import TEXTS, conditions

AMOUNTS = st.sampled_from([1, 99, 9900]) | st.integers(1, 10**12)
SECOND = 1_000


def _rate(most: st.SearchStrategy[int]) -> st.SearchStrategy[Rate]:
    return st.builds(Rate, most, st.integers(1, 10**7).map(lambda each: each * SECOND)) | st.builds(
        lambda count, name: Rate(count, calendar=name), most, st.sampled_from(CALENDAR)
    )


def _duration(bounds: tuple[int, int]) -> st.SearchStrategy[int]:
    low, high = (each // SECOND for each in bounds)
    return (st.sampled_from([low, high]) | st.integers(low, high)).map(lambda each: each * SECOND)


@cache
def of_kind(kind: Any) -> st.SearchStrategy[Any]:
    """Values that a field of ``kind`` may have."""
    match kind:
        case quantities.Quantity(bounds=(_, _) as bounds):
            return _duration(bounds)
        case Whole():
            return st.sampled_from([kind.least, kind.most]) | st.integers(kind.least, kind.most)
        case Choice():
            return st.sampled_from(kind.options)
        case Text(pattern=str(pattern)):
            fit = st.from_regex(pattern, fullmatch=True)
            return fit.filter(
                lambda text: text == text.strip() and text.isprintable() and len(text) <= kind.most
            )
        case Text():
            return TEXTS.filter(lambda text: len(text) <= kind.most)
        case Flag():
            return st.booleans()
        case Moment():
            return st.integers(0, 7_000_000_000).map(lambda each: each * SECOND)
        case ListOf():
            values = st.lists(of_kind(kind.of), min_size=1, max_size=4, unique=True)
            return values.map(tuple) if kind.ordered else values.map(sorted).map(tuple)
        case ConditionKind():
            return conditions()
        case Record():
            return record(kind)
        case OneOf():
            return st.one_of([record(each) for each in kind.records.values()])
    return {
        id(quantities.MONEY): AMOUNTS,
        id(quantities.SHARE): st.integers(1, 10_000),
        id(quantities.COUNT_RATE): _rate(st.integers(1, 10**9)),
        id(quantities.MONEY_RATE): _rate(AMOUNTS),
        id(quantities.SPAN): st.builds(
            lambda start, length: ClockSpan(start, (start + length) % 1440),
            st.integers(0, 1439),
            st.integers(1, 1320),
        ),
    }[id(kind)]


def fields_of(kind: Record[Any], *but: str) -> dict[str, st.SearchStrategy[Any]]:
    return {
        name: of_kind(each.field.kind)
        if each.is_required
        else st.just(each.default) | of_kind(each.field.kind)
        for name, each in kind.fields.items()
        if name not in but
    }


def record(kind: Record[Any]) -> st.SearchStrategy[Any]:
    if kind.struct is Coupon:
        return coupons()
    if kind.struct is Offer:
        return offers()
    found = st.builds(kind.struct, **fields_of(kind))
    if kind.struct in (ReviewPosted, SurveyAnswered):
        return found.map(_in_order)
    return found


def _in_order(trigger: Any) -> Any:
    low, high = sorted((trigger.at_least, trigger.at_most))
    return msgspec.structs.replace(trigger, at_least=low, at_most=high)


@st.composite
def coupons(draw: st.DrawFn) -> Coupon:
    said: dict[str, Any] = {
        "min_spend": draw(st.just(0) | AMOUNTS), "valid": draw(_duration((3_600_000, 366 * 86_400_000))),
        "scope": draw(st.sampled_from([("all",), ("cart", "sku:T-1"), ("category:tea",)])),
    }  # fmt: skip
    value = draw(st.sampled_from(VALUES))
    if value == "percent":
        said["percent"] = draw(st.integers(1, 99)) * 100
        said["max"] = draw(st.none() | AMOUNTS)
    elif value == "amount":
        said["amount"] = draw(AMOUNTS)
    else:
        kind = {"gift": st.just("T-1"), "points": st.integers(1, 10**7)}
        kind["early_access"] = _duration((3_600_000, 30 * 86_400_000))  # type: ignore[assignment]
        said[value] = draw(kind.get(value, st.just(True)))
        said["cost"] = draw(st.none() | AMOUNTS)
    return Coupon(**said)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    if draw(st.booleans()):
        share = draw(st.integers(1, 9_999))
        return Offer(
            variants=(
                Variant(name="a", share=share, coupon=draw(coupons())),
                Variant(name="b", share=10_000 - share, message=draw(record(MESSAGE))),
            )
        )
    parts = {
        "coupon": coupons(), "message": record(MESSAGE), "survey": record(SURVEY),
        "service_task": record(SERVICE_TASK),
    }  # fmt: skip
    names = draw(st.lists(st.sampled_from(list(parts)), min_size=1, unique=True))
    return Offer(**{name: draw(parts[name]) for name in names})


def definitions() -> st.SearchStrategy[CampaignDefinition]:
    """Definitions of which every field is right; what is between the fields may be wrong."""
    return st.builds(CampaignDefinition, **fields_of(DEFINITION))
