"""The judge of the store finds each mistake of a sink: each is made here on purpose."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from schemas.catalogue import ORDERS
from streams.query.connecting import Database
from streams.query.tables import (
    erased,
    left_out,
    order_coupons,
    order_events,
    order_lines,
    orders,
    refunds,
    repeats,
    reviews,
    sink_offsets,
    triggers,
)
from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import run_cli
from tests.faults.judge_rows import judge_rows
from tests.faults.tally import Verdict
from tests.query.conftest import open_store
from tests.query.publishing import Shop

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def filled(settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, Database]]:
    """A store that `huitou sink` has filled, of a shop whose worker left one event out."""
    settings.partitions = 2
    settings.query_store = f"sqlite:///{tmp_path / 'query.sqlite'}"
    create_topics(settings)
    shop = Shop(settings, seed=41)
    shop.trade(200)
    shop.leave_out(next(one for one in shop.published if one.topic == ORDERS), "skipped")
    done = run_cli(settings, "sink", "--once", timeout=180.0)
    assert done.returncode == 0, done.stderr
    database = open_store(settings.query_store)
    yield settings, database
    database.close()


def judged(filled: tuple[Settings, Database]) -> tuple[int, int, int]:
    verdict = Verdict()
    judge_rows(*filled, verdict)
    wrong = (verdict.rows_lost, verdict.rows_duplicates, verdict.rows_different)
    assert verdict.rows > 200
    assert verdict.clean == (wrong == (0, 0, 0))
    assert bool(verdict.examples) == (not verdict.clean)
    return wrong


def test_each_kind_of_mistake_is_found(filled: tuple[Settings, Database]) -> None:
    _, database = filled
    assert judged(filled) == (0, 0, 0)
    with database.reading() as connection:
        for table in (order_lines, order_coupons, refunds, reviews, repeats, left_out, erased):
            assert connection.execute(select(table).limit(1)).first(), table.name

    def change(statement: object) -> None:
        with database.writing() as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    held = sink_offsets.c
    change(update(sink_offsets).where(held.topic.endswith(ORDERS)).values(records=held.records + 1))
    assert judged(filled) == (0, 0, 2), "a record that was counted twice, in each partition"
    change(update(sink_offsets).where(held.topic.endswith(ORDERS)).values(records=held.records - 1))

    with database.reading() as connection:
        trigger = dict(connection.execute(select(triggers).limit(1)).mappings().one())
        order = dict(connection.execute(select(orders).limit(1)).mappings().one())
    change(insert(triggers).values({**trigger, "trigger_id": "made up"}))
    assert judged(filled) == (0, 1, 0)
    change(delete(triggers).where(triggers.c.trigger_id == trigger["trigger_id"]))
    assert judged(filled) == (1, 1, 0)
    change(update(triggers).where(triggers.c.trigger_id == "made up").values(trigger))
    change(update(orders).where(orders.c.order_id == order["order_id"]).values(pieces=77))
    assert judged(filled) == (0, 0, 1)
    change(update(orders).where(orders.c.order_id == order["order_id"]).values(order))
    assert judged(filled) == (0, 0, 0)
    event = order_events.c
    change(delete(order_events).where(event.order_id == order["order_id"]))
    lost, duplicates, different = judged(filled)
    assert lost >= 1
    assert (duplicates, different) == (0, 0)
