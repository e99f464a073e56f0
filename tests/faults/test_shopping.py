"""A run's events fold to what the oracle expects of them, as they are published and topic by topic."""

from collections import defaultdict

import msgspec

from schemas.catalogue import CUSTOMER_TOPICS
from schemas.decoding import Decoded, Decoder, RawRecord
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.faults.shopping import Sent, Shopping
from tests.faults.source import START_MS
from tests.oracle.described import described_figures
from tests.oracle.events import Published
from tests.oracle.expected import expect


def _fold(sent: list[Sent]) -> tuple[dict[tuple[str, str], CustomerState], dict[str, int]]:
    """The states, and the events that were no duplicates, by topic."""
    decoder, states = Decoder(1), dict[tuple[str, str], CustomerState]()
    applied: dict[str, int] = defaultdict(int)
    shop = ShopSettings("shop")
    for offset, (topic, key, value) in enumerate(sent):
        item = decoder.decode(RawRecord(topic, 0, offset, 1 << 50, key.encode(), value), 0)
        assert isinstance(item, Decoded), item
        state = states.setdefault(("shop", key), new_state("shop", key))
        applied[topic] += fold(state, item.event, item.time_ms, shop) is not None
    return states, applied


def test_every_order_of_the_topics_ends_as_the_oracle_expects() -> None:
    """A worker may read a topic ahead of the others, or far behind them: by minutes of ours."""
    shopping = Shopping(5, customers=40)
    sent = [one for number in range(6_000) for one in shopping.at(START_MS + number * 2_000)]
    expected = expect(Published(s.topic, s.key, msgspec.json.decode(s.value)) for s in sent)
    by_topic = [one for topic in CUSTOMER_TOPICS for one in sent if one.topic == topic]
    backwards = [one for topic in reversed(CUSTOMER_TOPICS) for one in sent if one.topic == topic]
    for order in (sent, by_topic, backwards):
        states, applied = _fold(order)
        assert applied == expected.events
        wrong = {
            customer: figures
            for customer, figures in expected.customers.items()
            if described_figures(states[customer]) != figures
        }
        assert wrong == {}
