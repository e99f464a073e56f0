"""What a shop's day has counted of an order does not hang on a verdict about it: verdicts are no facts."""

from streams.domain.facts import OrderAdvanced, OrderPaid
from streams.domain.fold import fold
from streams.domain.orders import order_hash, set_brushed
from streams.domain.state import new_state
from tests.domain.events import SHOP, START, fold_all, order


def test_a_refund_of_a_brushed_order_takes_back_what_was_counted() -> None:
    state = fold_all([order("1", START, "o1", "paid", amount_paid=100)])
    assert state.orders is not None
    assert set_brushed(state.orders, order_hash("o1"), 0, brushed=True)
    event, time = order("2", START + 1, "o1", "refunded", refund_id="r", amount=30)
    (fact,) = fold(state, event, time, SHOP) or ()
    assert isinstance(fact, OrderAdvanced)
    assert fact.money is not None
    assert (fact.money.gross, fact.money.net) == (0, -30)


def test_without_a_verdict_it_is_the_same() -> None:
    state = new_state("shop", "c1")
    facts = fold(state, *order("1", START, "o1", "paid", amount_paid=100), SHOP) or ()
    assert isinstance(facts[0], OrderPaid)
    assert facts[0].money is not None
    assert (facts[0].money.gross, facts[0].money.net) == (100, 100)
