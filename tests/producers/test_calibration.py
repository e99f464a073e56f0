"""The simulator against Taobao's sample: rates and repurchase, within the tolerances below.

A population of 815 differs from another by chance, so three of them are counted together. The
tolerances leave room for that and for no other law of behaviour: customers who all bought at the
same rate would give 88 % buyers instead of 69 %.
"""

import json
from collections.abc import Iterator

import pytest

from producers.replay.taobao import read_sample
from producers.simulator import SAMPLE_FIGURES, Mischief, Simulator
from producers.simulator.calibration import HOURS, SAMPLE_MS, SAMPLE_PURCHASES
from tests.producers.behaviour import Figures, Row, count
from tests.taobao import sample_file

#: 2017-11-25 00:00 +08:00, where the sample's nine days begin.
START_MS = 1_511_539_200_000
POPULATION = 815
POPULATIONS = 3

#: Relative to the sample's figure.
TOLERANCES = {
    "customers": 0.01,
    "share_view": 0.01,
    "share_cart": 0.10,
    "share_favourite": 0.15,
    "share_purchase": 0.10,
    "customers_buying": 0.04,
    "customers_buying_twice": 0.06,
    "customers_with_cart": 0.06,
    "customers_with_favourite": 0.08,
    "purchases_per_buyer": 0.06,
    "events_per_customer": 0.08,
    "sessions_per_customer": 0.05,
    "events_per_session": 0.05,
}
#: Rows of a customer at five percentiles in the sample.
ACTIVITY = [15, 39, 78, 137, 294]


def _behaviours(seed: int) -> Iterator[Row]:
    simulator = Simulator(seed, POPULATION, START_MS, mischief=Mischief(0, 0, 0))
    for record in simulator.records():
        event = json.loads(record.value or b"")
        data = event["data"]
        kind = {"view": "view", "favorite": "favourite", "add": "cart", "paid": "purchase"}.get(
            data.get("action") or data.get("status")
        )
        if kind is not None:
            yield f"{event['subject']}-{seed}", kind, record.at_ms


@pytest.fixture(scope="module")
def simulated() -> Figures:
    rows = [row for seed in range(1, 1 + POPULATIONS) for row in _behaviours(seed)]
    figures = count(rows, POPULATION * POPULATIONS)
    figures.figures["customers"] /= POPULATIONS
    return figures


@pytest.mark.parametrize("name", TOLERANCES)
def test_each_figure_is_the_samples(name: str, simulated: Figures) -> None:
    expected = pytest.approx(SAMPLE_FIGURES[name], rel=TOLERANCES[name])
    assert simulated.figures[name] == expected


def test_purchases_per_buyer_are_distributed_as_the_samples(simulated: Figures) -> None:
    """Each class's share of the buyers within 5 points; the whole distribution within 8."""
    shares = [number / sum(simulated.purchases) for number in simulated.purchases]
    wanted = [number / sum(SAMPLE_PURCHASES) for number in SAMPLE_PURCHASES]
    differences = [abs(share - want) for share, want in zip(shares, wanted, strict=True)]
    assert max(differences) < 0.05
    # Total variation distance.
    assert sum(differences) / 2 < 0.08


def test_activity_is_spread_over_customers_as_the_samples(simulated: Figures) -> None:
    """Percentiles within 15 %."""
    assert simulated.activity == pytest.approx(ACTIVITY, rel=0.15)


def test_hours_are_the_samples(simulated: Figures) -> None:
    """The share of each hour within 1 point: a visit of the evening goes on into the night."""
    assert simulated.hours == pytest.approx(list(HOURS), abs=0.01)


def test_the_committed_figures_are_those_of_the_sample() -> None:
    names = ("view", "favourite", "cart", "purchase")
    sample = read_sample(
        sample_file(),
        since=START_MS // 1000,
        before=(START_MS + SAMPLE_MS) // 1000,
        on_refused=lambda _: None,
    )
    rows = [
        (sample.names[customer].decode(), names[behaviour], seconds * 1000)
        for customer, behaviour, seconds in zip(
            sample.customers, sample.behaviours, sample.seconds, strict=True
        )
    ]
    assert len(rows) == 84_440
    figures = count(rows, POPULATION)
    assert figures.figures == pytest.approx(SAMPLE_FIGURES, rel=1e-3)
    assert figures.purchases == SAMPLE_PURCHASES
    assert figures.hours == pytest.approx(list(HOURS), abs=1e-4)
    assert figures.activity == pytest.approx(ACTIVITY, abs=1)
