"""What a look shows, and what it says instead where it can show nothing."""

import msgspec
import pytest

from streams.campaigns.measure.arm import METRICS, Arm, Metric, Outcome
from streams.campaigns.measure.assignment import ShareError
from streams.campaigns.measure.lift import (
    FEWEST_BUYERS,
    FEWEST_CONVERSIONS,
    Comparison,
    Estimate,
    Lift,
    Measured,
    SharesDiffer,
    Unknown,
    measure,
)

NOTHING = Outcome(converted=False)


def bought(amount: int) -> Outcome:
    return Outcome(converted=True, revenue=amount, goods_cost=amount * 6 // 10)


def arm(customers: int, amounts: list[int]) -> Arm:
    """``amounts`` in turn of those who bought, of all these customers."""
    made = Arm()
    for amount in amounts:
        made = made.add(bought(amount))
    for _ in range(customers - len(amounts)):
        made = made.add(NOTHING)
    return made


def amounts(count: int, scale: int = 100) -> list[int]:
    """Like orders: from ``scale`` to a hundred times as much, the large ones rare."""
    return [scale * (1 + 99 * (number % 20) ** 4 // 19**4) for number in range(count)]


def of(measured: Measured, metric: Metric) -> Lift:
    (found,) = [lift for lift in measured.lifts if lift.metric == metric]
    return found


#: 12 % and 10 % buy; 5 % are held out.
BETTER = Comparison(500, arm(38_000, amounts(4_560)), arm(2_000, amounts(200)))


def test_a_lift_has_what_was_seen_and_what_may_be() -> None:
    measured = measure(BETTER, "horizon")
    assert (measured.treated, measured.held_out, measured.mismatch) == (38_000, 2_000, None)
    conversion = of(measured, "conversion")
    assert isinstance(conversion.absolute, Estimate)
    assert isinstance(conversion.relative, Estimate)
    assert conversion.absolute.value == pytest.approx(0.02)
    assert conversion.relative.value == pytest.approx(0.2)
    # 1.96 sqrt(0.12 * 0.88 / 38000 + 0.1 * 0.9 / 2000) = 0.0135, but for the skewness.
    assert conversion.absolute.interval == pytest.approx((0.0060, 0.0330), abs=0.001)
    assert conversion.absolute.direction == conversion.relative.direction == "more"
    revenue = of(measured, "revenue")
    assert isinstance(revenue.relative, Estimate)
    assert revenue.relative.value == pytest.approx(0.2)
    assert revenue.relative.direction == "open"


def test_at_every_look_less_is_sure_than_at_one() -> None:
    for metric in METRICS:
        daily, once = (of(measure(BETTER, look), metric) for look in ("always", "horizon"))
        for kind in ("absolute", "relative"):
            wide, narrow = getattr(daily, kind), getattr(once, kind)
            assert isinstance(wide, Estimate)
            assert isinstance(narrow, Estimate)
            assert wide.value == narrow.value
            assert wide.interval.low < narrow.interval.low < narrow.interval.high
            assert narrow.interval.high < wide.interval.high


def test_margin_may_be_less_while_more_is_bought() -> None:
    treated = Arm()
    for _ in range(4_560):
        treated = treated.add(Outcome(converted=True, revenue=80_00, goods_cost=75_00))
    for _ in range(38_000 - 4_560):
        treated = treated.add(NOTHING)
    held_out = Arm()
    for _ in range(200):
        held_out = held_out.add(Outcome(converted=True, revenue=90_00, goods_cost=75_00))
    for _ in range(1_800):
        held_out = held_out.add(NOTHING)
    measured = measure(Comparison(500, treated, held_out), "always")
    margin = of(measured, "margin").relative
    assert isinstance(margin, Estimate)
    assert margin.value == pytest.approx(0.12 * 5 / (0.1 * 15) - 1)
    assert margin.direction == "less"


def test_partitions_together_are_as_one() -> None:
    parts = [
        Comparison(500, arm(19_000, amounts(2_280)), arm(1_000, amounts(100))) for _ in range(2)
    ]
    assert measure(parts[0].merge(parts[1]), "always") == measure(BETTER, "always")


def test_holdouts_of_two_sizes_are_not_put_together() -> None:
    with pytest.raises(SharesDiffer, match="500 and 1000 of 10,000 buckets"):
        BETTER.merge(Comparison(1_000))


@pytest.mark.parametrize("share", [-1, 0, 10_000])
def test_without_both_arms_there_is_nothing_to_compare(share: int) -> None:
    with pytest.raises(ShareError, match="from 1 to 9,999"):
        Comparison(share)


def reasons(comparison: Comparison) -> dict[Metric, str]:
    found: dict[Metric, str] = {}
    for lift in measure(comparison, "always").lifts:
        if isinstance(lift.absolute, Unknown):
            assert lift.relative == lift.absolute
            found[lift.metric] = lift.absolute.why
    return found


def test_nobody_yet_is_not_enough() -> None:
    assert reasons(Comparison(500))["conversion"] == (
        "not enough data: at the rate of all, of 0 treated customers about 0 convert, and it takes 25"
    )


def test_money_takes_more_customers_than_conversion() -> None:
    """10 % of both convert, so the held-out arm is to have 250 and 1,000 customers."""
    enough = {
        held_out: reasons(
            Comparison(
                500,
                arm(19 * held_out, amounts(19 * held_out // 10)),
                arm(held_out, amounts(held_out // 10)),
            )
        )
        for held_out in (
            10 * (FEWEST_CONVERSIONS - 1), 10 * FEWEST_CONVERSIONS,
            10 * (FEWEST_BUYERS - 1), 10 * FEWEST_BUYERS,
        )
    }  # fmt: skip
    assert [set(found) for found in enough.values()] == [
        {"conversion", "revenue", "margin"}, {"revenue", "margin"}, {"revenue", "margin"}, set(),
    ]  # fmt: skip
    assert enough[10 * (FEWEST_BUYERS - 1)]["revenue"] == (
        "not enough data: at the rate of all, of 990 held-out customers about 99 convert, and it takes 100"
    )


def test_whether_it_is_shown_does_not_hang_on_the_held_outs_luck() -> None:
    """Else the lucky holdouts would be shown and the unlucky ones not, and the lift would seem low."""
    lucky, unlucky = (
        Comparison(500, arm(19_000, amounts(1_900)), arm(1_000, amounts(count)))
        for count in (112, 88)
    )
    assert reasons(lucky) == {}
    assert set(reasons(unlucky)) == {"revenue", "margin"}
    # The rate is of all: 1,988 of 20,000 make 99.4 of 1,000; one more in a thousand treated, and it is shown.
    shown = Comparison(500, arm(19_000, amounts(1_920)), arm(1_000, amounts(88)))
    assert reasons(shown) == {}


def test_where_nearly_all_convert_those_who_do_not_are_counted() -> None:
    comparison = Comparison(500, arm(9_500, amounts(9_405)), arm(500, amounts(495)))
    assert reasons(comparison)["conversion"] == (
        "not enough data: at the rate of all, of 500 held-out customers about 5 do not convert, and it takes "
        "25"
    )


def test_one_unknown_amount_leaves_the_sum_unknown() -> None:
    unknown = Outcome(converted=True, revenue=None)
    one = Comparison(500, BETTER.treated.add(unknown), BETTER.held_out)
    assert reasons(one) == {
        metric: f"{metric} of 1 treated customers is not known; without them the rest misleads"
        for metric in ("revenue", "margin")
    }
    cost = Outcome(converted=True, revenue=100, goods_cost=None)
    other = Comparison(500, BETTER.treated, BETTER.held_out.add(cost))
    assert set(reasons(other)) == {"margin"}


def test_what_does_not_vary_says_nothing() -> None:
    free = Arm()
    for converted in [True] * 300 + [False] * 700:
        free = free.add(Outcome(converted=converted))
    assert reasons(Comparison(5_000, free, free)) == {
        metric: f"all treated customers have the same {metric}, so nothing says how it varies"
        for metric in ("revenue", "margin")
    }


def test_no_part_of_what_may_be_a_loss() -> None:
    losing = Arm()
    for number in range(2_000):
        amount = 100 if number < 200 else 0
        losing = losing.add(Outcome(converted=number < 200, revenue=amount, goods_cost=amount * 2))
    margin = of(measure(Comparison(5_000, losing, losing), "always"), "margin")
    assert isinstance(margin.absolute, Estimate)
    assert margin.relative == Unknown(
        "not enough data: the held-out customers' mean margin may be 0 or less, and has no parts"
    )


def test_a_broken_split_shows_no_lift_at_all() -> None:
    measured = measure(
        Comparison(500, BETTER.treated, BETTER.held_out.merge(BETTER.held_out)), "always"
    )
    assert measured.mismatch is not None
    for lift in measured.lifts:
        assert isinstance(lift.absolute, Unknown)
        assert lift.absolute.why == str(measured.mismatch)
        assert lift.absolute.why.startswith(
            "SAMPLE RATIO MISMATCH: treated 38,000 instead of 39,900"
        )


def test_what_was_measured_is_json_for_machines() -> None:
    written = msgspec.json.encode(measure(BETTER, "always"))
    assert msgspec.json.decode(written, type=Measured) == measure(BETTER, "always")
    assert msgspec.json.decode(msgspec.json.encode(BETTER), type=Comparison) == BETTER
