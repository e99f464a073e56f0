"""What campaigns decided for a shop's customers: coupons issued (``triggers``) and refused (``decisions``),
newest first, a page at a time.

Rows of either are written once and never change, so a page that begins behind the last key of the one before
it shows each decision once; what arrives later with an earlier time is found where it is older than the key.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, literal, select, tuple_

from streams.domain.offered import OFFERS
from streams.query.page_keys import StoredInteger, read_key
from streams.query.tables import decisions, triggers

OUTCOMES: Final = ("issued", "refused")


class DecisionKey(NamedTuple):
    """Where a page ended; ``id``: of the trigger or the refusal."""

    time_ms: StoredInteger
    customer_id: str
    id: str


@dataclass(frozen=True, slots=True)
class WantedDecisions:
    """What all found decisions must have; None: anything. Times in ms since 1970, the latter excluded."""

    shop: str
    customer: str | None = None
    campaign: str | None = None
    outcome: str | None = None
    reason: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    after: DecisionKey | None = None
    limit: int = 20

    def __post_init__(self) -> None:
        """Raises ValueError for what no decision can have: nothing found would say something else."""
        if self.outcome is not None and self.outcome not in OUTCOMES:
            raise ValueError(f"no outcome {self.outcome!r}; there are {', '.join(OUTCOMES)}")
        if self.outcome == "issued" and self.reason is not None:
            raise ValueError("what was issued was refused for no reason: leave out --reason")


class FoundDecisions(NamedTuple):
    """A page of decisions: outcome, time_ms, customer_id, campaign, campaign_version, decision_id (None of
    what was issued), trigger_id, reason (None of what was issued), code, and ``why`` and ``checks`` as they
    were published. ``next`` is the ``after`` of the page behind it; None: there is none.
    """

    decisions: list[dict[str, Any]]
    next: DecisionKey | None


def find_decisions(connection: Connection, wanted: WantedDecisions) -> FoundDecisions:
    """The newest ``limit`` decisions of those wanted, after ``after``."""
    found: list[dict[str, Any]] = []
    if wanted.outcome != "refused" and wanted.reason is None:
        found += _rows(connection, wanted, triggers, triggers.c.trigger_id)
    if wanted.outcome != "issued":
        found += _rows(connection, wanted, decisions, decisions.c.decision_id)
    found.sort(key=_place, reverse=True)
    page = found[: wanted.limit]
    following = DecisionKey(*_place(page[-1])) if len(found) > wanted.limit else None
    return FoundDecisions([_told(row) for row in page], following)


def _rows(
    connection: Connection, wanted: WantedDecisions, table: Table, own_id: ColumnElement[str]
) -> list[dict[str, Any]]:
    """The next ones of one table, and one more than a page."""
    held = table.c
    conditions: list[ColumnElement[bool]] = [held.shop_id == wanted.shop]
    conditions += [
        column == value
        for column, value in ((held.customer_id, wanted.customer), (held.campaign, wanted.campaign))
        if value is not None
    ]
    if table is triggers:
        # The other triggers are what becomes of a coupon.
        conditions.append(held.kind.in_(OFFERS))
    elif wanted.reason is not None:
        conditions.append(held.reason == wanted.reason)
    if wanted.since_ms is not None:
        conditions.append(held.time_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(held.time_ms < wanted.until_ms)
    key = (held.time_ms, held.customer_id, own_id)
    if wanted.after is not None:
        # The time by itself, too: it is what an index has.
        conditions += [held.time_ms <= wanted.after.time_ms, tuple_(*key) < tuple(wanted.after)]
    statement = (
        select(
            held.time_ms, held.customer_id, held.campaign, held.campaign_version, held.trigger_id,
            held.data, own_id.label("id"),
            literal("issued" if table is triggers else "refused").label("outcome"),
        )
        .where(*conditions)
        .order_by(*(column.desc() for column in key))
        .limit(wanted.limit + 1)
    )  # fmt: skip
    return [dict(row) for row in connection.execute(statement).mappings()]


def _place(row: dict[str, Any]) -> tuple[int, str, str]:
    return row["time_ms"], row["customer_id"], row["id"]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    data = msgspec.json.decode(row["data"])
    refused = row["outcome"] == "refused"
    return {
        "time_ms": row["time_ms"],
        "customer_id": row["customer_id"],
        "campaign": row["campaign"],
        "campaign_version": row["campaign_version"],
        "outcome": row["outcome"],
        "reason": data["reason"] if refused else None,
        "trigger_id": row["trigger_id"],
        "decision_id": row["id"] if refused else None,
        "code": (data.get("offer") or {}).get("code") or None,
        "why": data.get("why", []),
        "checks": data.get("checks", []),
    }


def page_key(word: str) -> DecisionKey:
    """The key of which `huitou decisions` printed ``word``. Raises ValueError for any other word.

    >>> from streams.query.page_keys import written
    >>> page_key(written(DecisionKey(1, "c1", "t1"))).id
    't1'
    """
    return read_key(word, DecisionKey, "huitou decisions")
