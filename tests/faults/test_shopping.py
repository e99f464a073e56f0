"""A run's events fold to what the oracle expects of them, as they are published and topic by topic."""

from collections import defaultdict

import msgspec

from schemas.catalogue import CUSTOMER_TOPICS
from schemas.decoding import Decoded, Decoder, RawRecord
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from tests.domain.network import Network
from tests.faults.shopping import Sent, Shopping
from tests.faults.source import START_MS
from tests.oracle.described import described_figures
from tests.oracle.events import Published
from tests.oracle.expected import expect


def _fold(sent: list[Sent]) -> tuple[dict[tuple[str, str], CustomerState], dict[str, int]]:
    """The states, and the events that were no duplicates, by topic."""
    decoder, network = Decoder(1), Network(ShopSettings("shop"))
    applied: dict[str, int] = defaultdict(int)
    for offset, (topic, key, value) in enumerate(sent):
        item = decoder.decode(RawRecord(topic, 0, offset, 1 << 50, key.encode(), value), 0)
        assert isinstance(item, Decoded), item
        applied[topic] += network.receive(item.event, item.time_ms)
        if offset % 7 == 0 and network.told:
            network.deliver()
    network.settle()
    states = {("shop", key.partition("/")[2]): state for key, state in network.states.items()}
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
