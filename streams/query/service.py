"""Service cases and what customers answered in surveys: rows by the rules of streams.domain.service.

They are computed anew from all records of the customer (``service_events``), so they are functions of their
set. The live state forgets older cases and later replies; here all are kept.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas.service import Service as ServiceData
from streams.domain.duplicates import hash_of
from streams.domain.service import ACTION_BITS, COMPLAINT, OPENED, Case, first_reply
from streams.query.customer_records import each_once, keep_records, records_of
from streams.query.facts import Customer, CustomerFact, storable, storable_or_none
from streams.query.statements import delete_rows, insert_rows
from streams.query.tables import cases, service_events, surveys

_SURVEYED: Final = "survey_answered"
_decode = msgspec.json.Decoder(ServiceData).decode


class ServiceRows(NamedTuple):
    """All rows of a customer."""

    cases: list[dict[str, Any]]
    surveys: list[dict[str, Any]]


def service_rows(facts: Iterable[CustomerFact]) -> ServiceRows:
    """The rows of a customer, of whom ``facts`` are all; in any order, repeats included."""
    by_case: dict[str, list[tuple[CustomerFact, ServiceData]]] = {}
    answers: dict[str, list[tuple[CustomerFact, ServiceData]]] = {}
    for fact in each_once(facts):
        data = _decode(fact.data)
        if data.action == _SURVEYED:
            answers.setdefault(storable(data.case_id or ""), []).append((fact, data))
        elif data.case_id is not None:
            by_case.setdefault(storable(data.case_id), []).append((fact, data))
    return ServiceRows(
        [_case_row(case_id, own) for case_id, own in by_case.items()],
        [_survey_row(case_id, own) for case_id, own in answers.items()],
    )


def _case_row(case_id: str, told: Sequence[tuple[CustomerFact, ServiceData]]) -> dict[str, Any]:
    """``told``: the earliest first."""
    case = Case(b"", case_id)
    for fact, data in told:
        bit, time_ms = ACTION_BITS.get(data.action, 0), fact.time_ms
        case.seen |= bit
        case.changed_at = max(case.changed_at, time_ms)
        if bit & OPENED:
            case.opened_at = time_ms if case.opened_at is None else min(case.opened_at, time_ms)
        elif bit:
            case.resolved_at = max(case.resolved_at or time_ms, time_ms)
        else:
            case.replies.append(time_ms)
    shop_id, customer_id = told[0][0].customer
    # What opened the case says best what it is about.
    opening = [data for _, data in told if ACTION_BITS.get(data.action, 0) & OPENED]
    words = [*opening, *(data for _, data in told)]
    return {
        "shop_id": shop_id,
        "customer_id": customer_id,
        "case_id": case_id,
        "topic": storable_or_none(next((data.topic for data in words if data.topic), None)),
        "order_id": storable_or_none(
            next((data.order_id for data in words if data.order_id), None)
        ),
        "complaint": int(case.seen & COMPLAINT > 0),
        "opened_ms": case.opened_at,
        "replied_ms": first_reply(case),
        "resolved_ms": case.resolved_at,
        "changed_ms": case.changed_at,
    }


def _survey_row(case_id: str, told: Sequence[tuple[CustomerFact, ServiceData]]) -> dict[str, Any]:
    fact, data = max(told, key=_stamp)
    shop_id, customer_id = fact.customer
    return {
        "shop_id": shop_id,
        "customer_id": customer_id,
        "case_id": case_id,
        "score": data.score or 0,
        "order_id": storable_or_none(data.order_id),
        "answered_ms": fact.time_ms,
    }


def _stamp(told: tuple[CustomerFact, ServiceData]) -> tuple[int, bytes]:
    fact, _ = told
    return fact.time_ms, hash_of(fact.source, fact.event_id)


def write_service(
    connection: Connection, facts: Sequence[CustomerFact], changed: Iterable[Customer]
) -> None:
    """Take ``facts`` in, and compute anew the rows of their customers and of those that have ``changed``."""
    keep_records(connection, service_events, facts)
    touched = {*changed, *(fact.customer for fact in facts)}
    rows = [service_rows(own) for own in records_of(connection, service_events, touched).values()]
    for table, own in (
        (cases, [row for each in rows for row in each.cases]),
        (surveys, [row for each in rows for row in each.surveys]),
    ):
        delete_rows(connection, table, sorted(touched))
        insert_rows(connection, table, own)
