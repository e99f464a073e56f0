"""What each campaign offered and refused, and what became of its coupons."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    Subquery,
    and_,
    case,
    func,
    null,
    select,
    union_all,
)

from schemas.catalogue import DECISIONS, TRIGGERS
from streams.domain.offered import COUPON, OFFERS
from streams.query.tables import decisions, order_coupons, sink_offsets, triggers
from streams.reports.amounts import count, money_columns, money_of, rows_of, share, unknown
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.reach import NEVER, has_rows
from streams.reports.sums import Facts, Parts, Raw, add_up, counted, in_period

CAMPAIGN: Final = "campaign"
#: Figure -> the step of the arbiter (docs/refusals.md).
_STEPS: Final = {
    "refused_consent": "consent", "refused_brushed": "brushed", "refused_before": "issued_before",
    "refused_campaign_cap": "campaign_cap", "refused_channel_cap": "channel_cap", "refused_rest": "rest",
    "refused_quiet": "quiet_hours", "refused_priority": "priority", "refused_budget": "budget",
}  # fmt: skip
#: Not refused: who is held out passed all steps, to be compared with those who got the offer.
_HELD_OUT: Final = "holdout"
_ISSUED: Final = f"triggers: {', '.join(OFFERS)}, by time_ms"
_COUPONS: Final = f"triggers: {OFFERS[COUPON]}, by time_ms"
_REFUSED: Final = "decisions.reason, by time_ms"
_USED: Final = "triggers.code, order_coupons, orders.paid_ms"
FIGURES = (
    Figure(
        "candidates", "count", "Offers that a campaign's rule earned: issued, held out and refused.",
        f"{_ISSUED}; {_REFUSED}", additive=True,
    ),
    Figure(
        "issued", "count", "Offers made: coupons, messages, surveys and service tasks.", _ISSUED,
        additive=True,
    ),
    Figure("coupons", "count", "Of these: with a coupon.", _COUPONS, additive=True),
    Figure("receivers", "count", "Different customers who got an offer.", _ISSUED),
    Figure(
        "held_out", "count", "Offers that would have been made, to customers who get none to compare with.",
        _REFUSED, additive=True,
    ),
    Figure("refused", "count", "Offers that the arbiter refused.", _REFUSED, additive=True),
    Figure(
        "refused_consent", "count", "Of these: no channel was left that the customer had not withdrawn.",
        _REFUSED, additive=True,
    ),
    Figure(
        "refused_brushed", "count", "Of these: an order of the customer was held to be brushed.", _REFUSED,
        additive=True,
    ),
    Figure(
        "refused_before", "count", "Of these: the same occasion had earned the offer before.", _REFUSED,
        additive=True,
    ),
    Figure(
        "refused_campaign_cap", "count", "Of these: the customer had the campaign as often as may be.",
        _REFUSED, additive=True,
    ),
    Figure(
        "refused_channel_cap", "count", "Of these: each channel had its contacts of the day.", _REFUSED,
        additive=True,
    ),
    Figure(
        "refused_rest", "count", "Of these: the last contact was too short ago.", _REFUSED, additive=True
    ),
    Figure("refused_quiet", "count", "Of these: in quiet hours.", _REFUSED, additive=True),
    Figure(
        "refused_priority", "count", "Of these: another campaign went first at the same moment.", _REFUSED,
        additive=True,
    ),
    Figure("refused_budget", "count", "Of these: nothing was left of a budget.", _REFUSED, additive=True),
    Figure(
        "redeemed", "count", "Coupons whose code is on an order that was paid, until now.", _USED,
        additive=True,
    ),
    Figure("redemption_rate", "share", "redeemed / coupons.", _USED),
    Figure(
        "redeemed_amount", "money", "Gross: what was paid with the orders that have their codes.",
        f"{_USED}, amount", additive=True,
    ),
    Figure(
        "redeemed_net_amount", "money",
        "What is left of it now: less completed refunds; nothing of a cancelled order.",
        f"{_USED}, net_amount", additive=True,
    ),
)  # fmt: skip
_OF_ORDERS: Final = ("redeemed", "redemption_rate", "redeemed_amount", "redeemed_net_amount")
_NO_CODES: Final = "no order of the shop names a coupon: send coupon_codes with placed or paid"


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    of_orders = asked.reason(asked.period.since_ms)
    if of_orders is None and not has_rows(connection, order_coupons, asked.shop):
        of_orders = _NO_CODES
    asked = _within_reach(connection, asked)
    found = _found(connection, asked)

    def values(raw: Raw) -> dict[str, Value]:
        said = _values(raw, asked)
        if of_orders is not None:
            said |= dict.fromkeys(_OF_ORDERS, unknown(of_orders))
        return said

    return rows_of(asked, found, FIGURES, values)


def _found(connection: Connection, asked: Asked) -> Parts:
    """What was decided, and of the same parts what was paid with it."""
    decided = _decided(asked)
    held = decided.c
    columns = [
        func.count(held.issued).label("issued"),
        func.count(case((held.issued == OFFERS[COUPON], 1))).label("coupons"),
        func.count(case((held.reason != _HELD_OUT, 1))).label("refused"),
        func.count(case((held.reason == _HELD_OUT, 1))).label("held_out"),
        func.count(func.distinct(case((held.issued.is_not(None), held.customer_id)))).label(
            "receivers"
        ),
        *(func.count(case((held.reason == step, 1))).label(name) for name, step in _STEPS.items()),
    ]
    by_campaign = asked.by == CAMPAIGN
    key = held.campaign if by_campaign else None
    offered = add_up(
        connection, asked, Facts(decided, held.time_ms, []), columns, key, func.count()
    )
    same = replace(asked, keys=tuple(name for name, _ in offered.parts)) if by_campaign else asked
    used = add_up(
        connection, same, _uses(asked), _columns_of_uses(asked),
        triggers.c.campaign if by_campaign else None, func.count(),
    )  # fmt: skip
    parts = [
        (name, {**one, **other})
        for (name, one), (_, other) in zip(offered.parts, used.parts, strict=True)
    ]
    others = None if offered.others is None else {**offered.others, **(used.others or {})}
    return Parts({**offered.whole, **used.whole}, parts, others)


def _decided(asked: Asked) -> Subquery:
    """A row each; ``issued`` is the trigger's kind or NULL, and ``reason`` the other way round NULL or the
    step that refused.
    """
    yes, no = triggers.c, decisions.c
    return union_all(
        select(
            yes.time_ms, yes.customer_id, yes.campaign, yes.kind.label("issued"),
            null().cast(String).label("reason"),
        ).where(yes.shop_id == asked.shop, yes.kind.in_(OFFERS), in_period(yes.time_ms, asked)),
        select(
            no.time_ms, no.customer_id, no.campaign, null().cast(String).label("issued"), no.reason
        ).where(no.shop_id == asked.shop, in_period(no.time_ms, asked)),
    ).subquery("decided")  # fmt: skip


def _uses(asked: Asked) -> Facts:
    """Coupons issued, each with every paid order that has its code; of the coupon's day."""
    has_code = and_(
        order_coupons.c.shop_id == triggers.c.shop_id, order_coupons.c.code == triggers.c.code
    )
    same_order = and_(
        *(
            orders.c[name] == order_coupons.c[name]
            for name in ("shop_id", "customer_id", "order_id")
        )
    )
    source = triggers.join(order_coupons, has_code).join(orders, same_order)
    held = triggers.c
    return Facts(
        source, held.time_ms,
        [held.shop_id == asked.shop, held.kind == OFFERS[COUPON], orders.c.paid_ms.is_not(None)],
    )  # fmt: skip


def _columns_of_uses(asked: Asked) -> list[ColumnElement[Any]]:
    held = orders.c
    return [
        func.count(func.distinct(triggers.c.code)).label("redeemed"),
        func.count().label("uses"),
        func.count(held.amount).label("told"),
        *money_columns("gross", held.amount, held.paid_ms, asked),
        *money_columns("net", held.net_amount, held.paid_ms, asked),
    ]


def _values(raw: Raw, asked: Asked) -> dict[str, Value]:
    issued, refused = counted(raw, "issued"), counted(raw, "refused")
    coupons, out = counted(raw, "coupons"), counted(raw, "held_out")
    redeemed, uses = count(counted(raw, "redeemed")), counted(raw, "uses")
    lacking = uses - counted(raw, "told")
    return {
        "candidates": count(issued + refused + out),
        "issued": count(issued),
        "coupons": count(coupons),
        "receivers": count(counted(raw, "receivers")),
        "held_out": count(out),
        "refused": count(refused),
        **{name: count(counted(raw, name)) for name in _STEPS},
        "redeemed": redeemed,
        "redemption_rate": share(redeemed, count(coupons), "no coupon was issued"),
        "redeemed_amount": money_of(raw, "gross", asked, lacking=lacking, of=uses),
        "redeemed_net_amount": money_of(raw, "net", asked, lacking=lacking, of=uses),
    }


def _within_reach(connection: Connection, asked: Asked) -> Asked:
    """``asked`` with how far back the store has decisions: wholly, or nobody knows since when."""
    held = sink_offsets.c
    parts = [row._asdict() for row in connection.execute(select(held.topic, held.first_offset))]
    for topic, what in ((TRIGGERS, "triggers"), (DECISIONS, "refusals")):
        firsts = [part["first_offset"] for part in parts if part["topic"].endswith(topic)]
        if not firsts:
            why = f"the store has no {what} yet: `huitou sink` fills it"
        elif any(firsts):
            why = f"retention had cut {topic} before the store read it, so older {what} may be missing"
        else:
            continue
        return replace(asked, reach_ms=NEVER, reach_why=why)
    return replace(asked, reach_ms=None, reach_why=None)


REPORT = Report(
    "campaigns", "Campaigns", FIGURES, (CAMPAIGN, *TIME_DIMENSIONS), _rows, by=CAMPAIGN,
    notes=(
        "Coupons are of the day on which they were issued, and so is what was paid with them later.",
        "An order that used several coupons is in the amount of each.",
        "Who paid with a coupon may have bought without it: what a campaign changed is another question.",
        "Refusals are known from the upgrade on to a build that publishes them (docs/refusals.md).",
    ),
)  # fmt: skip
