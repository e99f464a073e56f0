"""Figures of a population's behaviour, counted alike over the sample and over a simulation."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

#: (customer, behaviour, ms since 1970), behaviours named as in ``SAMPLE_FIGURES``.
Row = tuple[str, str, int]

_SESSION_PAUSE_MS = 30 * 60_000
_SHANGHAI_HOURS = 8


@dataclass(frozen=True)
class Figures:
    figures: dict[str, float]
    #: Buyers by number of purchases: 1, 2, 3, 4, 5, 6-9, 10 and more.
    purchases: tuple[int, ...]
    hours: list[float]
    #: Rows of a customer at the 5th, 25th, 50th, 75th and 95th percentile.
    activity: list[int]


def count(rows: Iterable[Row], population: int) -> Figures:
    behaviours: Counter[str] = Counter()
    customers: defaultdict[str, set[str]] = defaultdict(set)
    purchases: Counter[str] = Counter()
    times: defaultdict[str, list[int]] = defaultdict(list)
    hours: Counter[int] = Counter()
    for customer, behaviour, time_ms in rows:
        behaviours[behaviour] += 1
        customers[behaviour].add(customer)
        times[customer].append(time_ms)
        hours[(time_ms // 3_600_000 + _SHANGHAI_HOURS) % 24] += 1
        purchases[customer] += behaviour == "purchase"
    total = behaviours.total()
    sessions = 0
    for each in times.values():
        each.sort()
        sessions += 1 + sum(after - before > _SESSION_PAUSE_MS for before, after in pairwise(each))
    bought = [number for number in purchases.values() if number]
    figures = {f"share_{name}": behaviours[name] / total for name in behaviours}
    figures |= {
        "customers": len(times),
        "customers_buying": len(bought) / population,
        "customers_buying_twice": sum(number > 1 for number in bought) / population,
        "customers_with_cart": len(customers["cart"]) / population,
        "customers_with_favourite": len(customers["favourite"]) / population,
        "purchases_per_buyer": sum(bought) / len(bought),
        "events_per_customer": total / population,
        "sessions_per_customer": sessions / population,
        "events_per_session": total / sessions,
    }
    by_number = Counter(bought)
    activity = sorted(map(len, times.values()))
    return Figures(
        figures,
        (
            *(by_number[number] for number in range(1, 6)),
            sum(by_number[number] for number in range(6, 10)),
            sum(many for number, many in by_number.items() if number >= 10),
        ),
        [hours[hour] / total for hour in range(24)],
        [activity[int(share * (len(activity) - 1))] for share in (0.05, 0.25, 0.5, 0.75, 0.95)],
    )
