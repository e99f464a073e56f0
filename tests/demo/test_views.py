"""The demo's views: whole on terminals of any size, quiet without one."""

import doctest
from datetime import UTC, datetime
from io import StringIO
from types import ModuleType

import pytest
from rich.console import Console

from schemas.trigger import Offer, Trigger, TriggerEvent, Why
from streams.demo import latency, moments, words
from streams.demo.lines import Lines
from streams.demo.moments import Moment, Scene, pace
from streams.demo.screen import Screen
from streams.demo.words import because, promise

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SCENE = Scene(words="27,674 simulated customers", place="a Kafka", factor=120.0, seconds=60.0)


def coupon(campaign: str, *why: Why) -> TriggerEvent:
    offer = Offer(kind="amount", value=2_000, valid_from=NOW, valid_until=NOW, code="ABCDEFGHJKLM")
    return TriggerEvent(
        specversion="1.0",
        id="t",
        source="huitou",
        subject="customer-1",
        time=NOW,
        data=Trigger(
            trigger_id="t", shop_id="demo", customer_id="customer-1", kind="coupon_issued",
            campaign=campaign, campaign_version="1", offer=offer, why=list(why),
        ),
    )  # fmt: skip


COUPONS = [
    coupon(
        "abandoned-cart",
        Why(rule="cart_idle_minutes", value=30, threshold=30),
        Why(rule="cart_lines", value=2, threshold=1),
    ),
    coupon("second-order", Why(rule="paid_orders", value=1, threshold=1)),
    coupon("bad-review", Why(rule="rating_at_most", value=1, threshold=2)),
]


def moment(**changes: object) -> Moment:
    fields: dict[str, object] = {
        "elapsed": 30.0, "time_ms": int(NOW.timestamp() * 1000), "published": 12_345,
        "applied": 12_300, "duplicates": 20, "dead_letters": 15, "customers": 4_000,
        "events_per_second": 499.0, "lag": 10,
        "by_campaign": {"abandoned-cart": 400, "second-order": 300, "bad-review": 7},
        "newest": COUPONS * 10, "latency": {"p50": 80.0, "p99": 190.0}, "pids": [4711],
        "restarts": 0, "history": (1.0, 2.0, 3.0),
    }  # fmt: skip
    return Moment(**{**fields, **changes})  # type: ignore[arg-type]


def rendered(width: int, height: int, notes: int = 0, **changes: object) -> list[str]:
    """The screen's lines."""
    console = Console(width=width, height=height, file=StringIO(), force_terminal=True)
    screen = Screen(console)
    try:
        screen.begin(SCENE)
        screen.show(moment(**changes))
        for number in range(notes):
            screen.note(f"worker 0 was ended by SIGKILL, {number}\nand more")
        plain = Console(width=width, height=height, file=StringIO())
        with plain.capture() as capture:
            plain.print(screen.render())
        return capture.get().rstrip("\n").split("\n")
    finally:
        screen.close()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (120, 40), (200, 60)])
@pytest.mark.parametrize("notes", [0, 5])
def test_the_screen_fits(width: int, height: int, notes: int) -> None:
    lines = rendered(width, height, notes)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_the_screen_says_why_each_coupon_was_issued() -> None:
    text = "\n".join(rendered(120, 40))
    for event in COUPONS:
        assert because(event.data) in text
    assert promise(COUPONS[0].data.offer) in text


def test_the_screen_says_that_a_worker_is_down() -> None:
    text = "\n".join(rendered(120, 40, notes=1, pids=[None], restarts=1))
    assert "worker 0 down, starting again" in text
    assert "restarted once" in text
    assert "SIGKILL" in text


def test_lines_name_the_first_coupon_of_each_campaign_once() -> None:
    file = StringIO()
    lines = Lines(Console(file=file, width=200))
    lines.begin(SCENE)
    lines.show(moment())
    lines.show(moment())
    text = file.getvalue()
    for event in COUPONS:
        assert text.count(f"first {event.data.campaign}") == 1
    assert "\x1b" not in text


@pytest.mark.parametrize("module", [words, moments, latency])
def test_the_examples_in_the_documentation_hold(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_reasons_in_words() -> None:
    assert [because(event.data) for event in COUPONS] == [
        "2 things left in the cart for 30 min",
        "the first order paid",
        "a review of 1 star",
    ]


def test_a_campaign_that_no_words_are_for_names_its_rules() -> None:
    unknown = coupon("birthday", Why(rule="days_to_birthday", value=3, threshold=7))
    assert because(unknown.data) == "days_to_birthday 3 (limit 7)"


def test_the_pace_is_stated() -> None:
    assert pace(SCENE).startswith("One second here is 2 minutes there")
    assert "15 seconds" in pace(SCENE)
