"""A partition's events by hand: the same decisions as folding one customer after the other."""

import heapq

from hypothesis import given
from hypothesis import strategies as st

from schemas.decision import Decision
from schemas.trigger import EventCause, TimerCause, Trigger
from streams.backtest.merging import merged
from streams.backtest.partition import PartitionRun
from streams.backtest.recorded import Recorded
from streams.campaigns.listening.in_force import Judging
from tests.campaigns.test_answering import THANKS, VARIANTS, judging, play
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, cart, click, order

ALWAYS = 1 << 62
LATENESS = 5_000
SAME = VARIANTS.replace("joined_membership", "{order_paid: {}}").replace(
    "campaign: it", "campaign: a"
)


def recorded(topic: str, events: list[Timed]) -> list[Recorded]:
    return [
        Recorded(time, event, time, topic, 0, offset) for offset, (event, time) in enumerate(events)
    ]


def backtested(
    topics: list[list[Timed]], campaigns: Judging, since: int = 0, until: int = START + 400 * DAY
) -> tuple[PartitionRun, list[tuple[int, Trigger | Decision]]]:
    found: list[tuple[int, Trigger | Decision]] = []
    run = PartitionRun(
        "shop", campaigns, lambda _: SHOP, LATENESS, since, until,
        lambda one, time: found.append((time, one)),
    )  # fmt: skip
    run.run([recorded(f"t{n}", events) for n, events in enumerate(topics)])
    return run, found


def paid(number: int, time: int, amount: int = 60_00) -> Timed:
    return order(str(number), time, f"O{number}", "paid", "a", amount_paid=amount)


def test_one_customer_s_decisions_are_those_of_folding_by_hand() -> None:
    campaigns = judging(THANKS, VARIANTS.replace("joined_membership", "abandoned_cart"))
    carts = [
        cart("c1", START, "add", "a", quantity=1),
        cart("c2", START + 9 * DAY, "add", "b", quantity=1),
    ]
    orders = [paid(number, START + number * DAY) for number in (1, 2, 3, 11)]
    until = START + 30 * DAY
    by_time = sorted([*carts, *orders], key=lambda each: each[1])
    wanted = play(by_time, campaigns, until=until)
    _, found = backtested([carts, orders], campaigns, until=until)
    for _, one in found:
        assert isinstance(one.cause, EventCause | TimerCause)
        one.cause = None
    assert [one for _, one in found] == wanted
    assert len(wanted) > 5


def test_budgets_are_taken_to_suffice_and_the_figures_add_up() -> None:
    text = THANKS.replace("1/7d", '2/day, budget: "500.00/day"')
    base = judging(text)
    campaigns = base._replace(granted=True)
    orders = [paid(number, START + number * DAY) for number in range(1, 5)]
    run, found = backtested([orders], campaigns)
    (outcome,) = [run.outcomes.of("thanks")]
    assert (outcome.offers, outcome.customers, dict(outcome.refused)) == (3, 1, {})
    assert sum(outcome.days.values()) == 3
    assert run.outcomes.of("second-order").offers == 1
    assert dict(run.outcomes.both) == {("second-order", "thanks"): 1}
    assert (run.outcomes.events, run.outcomes.repeated, run.outcomes.customers) == (4, 0, 1)
    assert len(found) == 4
    refused, _ = backtested([orders], base)
    assert dict(refused.outcomes.of("thanks").refused) == {"budget": 3}


def test_only_decisions_of_the_time_count_and_what_was_before_is_known() -> None:
    orders = [paid(number, START + number * DAY) for number in range(1, 6)]
    text = THANKS.replace("1/7d", "1/day")
    run, found = backtested([orders], judging(text), START + 3 * DAY, START + 4 * DAY)
    assert [time for time, _ in found] == [START + 3 * DAY, START + 4 * DAY]
    assert run.outcomes.events == 4


def test_timers_fire_before_what_is_later_than_the_lateness() -> None:
    left = [cart("c1", START, "add", "a", quantity=1)]
    due = START + 30 * MINUTE
    # It empties the cart after the timer was due: too late to hold it back, whatever the topic.
    for later in (1, LATENESS, LATENESS + 1, DAY):
        emptied = [cart("c2", due + later, "clear")]
        _, found = backtested([left, emptied], judging(SAME), until=due + 2 * DAY)
        assert [(time, one.campaign) for time, one in found] == [(due, "abandoned-cart")]
    _, found = backtested(
        [left, [cart("c2", due - 1, "clear")]], judging(SAME), until=due + 2 * DAY
    )
    assert found == []


def test_a_late_record_is_folded_late_and_a_repeat_counts_once() -> None:
    late = [click("1", START + DAY), click("2", START), click("1", START + DAY)]
    run, _ = backtested([late], judging(SAME))
    assert (run.outcomes.events, run.outcomes.repeated) == (2, 1)


def test_a_timer_that_was_put_off_and_back_fires_once() -> None:
    # The second add puts the cart's timer off; a late one before it brings back the first's.
    left = [
        cart("c1", START, "add", "a", quantity=1),
        cart("c2", START + 9, "add", "b", quantity=1),
    ]
    bought = [order("1", START + 20, "O", "placed", "b"), order("2", START + 30, "O", "cancelled")]
    run, found = backtested([left, bought], judging(SAME), until=START + 400 * DAY)
    causes = [(one.campaign, one.trigger_id) for _, one in found]
    assert len(set(causes)) == len(causes)
    assert run.outcomes.timers >= len(found)


@given(st.lists(st.lists(st.integers(0, 9), max_size=9), max_size=4))
def test_topics_are_merged_as_the_standard_library_does(times: list[list[int]]) -> None:
    event = click("1", START)[0]
    topics = [
        [Recorded(time, event, 0, f"t{place}", 0, offset) for offset, time in enumerate(each)]
        for place, each in enumerate(times)
    ]
    assert list(merged(topics)) == list(heapq.merge(*topics, key=lambda each: each.time))
