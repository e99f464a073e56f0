"""Reviews by what they are about: read one by one, since no database finds a word as people do.

A review with words of several themes is in each of them, one with words of none in a part of its own. All are
judged by one list, the newest that the shop has written, so that a word which is added finds the reviews
that are there already, and two periods stand side by side by one measure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from streams.domain.themes import Themes
from streams.query.tables import reviews
from streams.reports.model import Asked
from streams.reports.period import DAY_MS
from streams.reports.sums import Facts, Parts, Raw, in_period

THEME: Final = "theme"
#: Orders that are named beside a theme, the newest ones.
EXAMPLES: Final = 5
#: Reviews that are in memory at a time.
_AT_ONCE: Final = 2_000
_STARS: Final = range(1, 6)


class ByTheme(NamedTuple):
    """``parts`` as streams.reports.sums.add_up gives them; key None: reviews of no theme. ``examples``: order
    ids by key."""

    parts: Parts
    examples: Mapping[str | None, tuple[str, ...]]


class _Sums:
    """What reviews of the same themes add up to. Of replies it remembers how long each took."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        self.waits: list[int] = []

    def add(self, review: Any) -> None:
        counts = self.counts
        counts["reviews"] += 1
        if review.rating in _STARS:
            counts[f"stars_{review.rating}"] += 1
            counts["ratings"] += review.rating
        counts["photo"] += review.photos > 0
        counts["appended"] += review.appended_ms is not None
        if review.replied_ms is not None:
            wait = review.replied_ms - review.posted_ms
            counts["replied"] += 1
            counts["in_day"] += wait <= DAY_MS
            if wait >= 0:
                self.waits.append(wait)


def by_theme(connection: Connection, asked: Asked, facts: Facts) -> ByTheme:
    """The reviews of ``facts`` by theme: as many as there are, at most ``asked.limit``, or ``asked.keys``.

    Takes time in the length of the texts times the number of words.
    """
    themes = Themes(asked.themes)
    sums: dict[frozenset[str], _Sums] = defaultdict(_Sums)
    examples: dict[str | None, dict[str, None]] = {key: {} for key in (*themes.names, None)}
    held = reviews.c
    newest = (
        select(
            held.order_id, held.rating, held.photos, held.text, held.appended_text, held.posted_ms,
            held.appended_ms, held.replied_ms,
        )
        .where(*facts.where, in_period(facts.time, asked))
        .order_by(held.posted_ms.desc(), held.customer_id, held.order_id, held.sku)
    )  # fmt: skip
    for review in connection.execute(newest, execution_options={"yield_per": _AT_ONCE}):
        found = themes.of(review.text, review.appended_text)
        sums[found].add(review)
        for key in found or (None,):
            if len(examples[key]) < EXAMPLES:
                examples[key][review.order_id] = None
    return ByTheme(_parts(asked, sums), {key: tuple(ids) for key, ids in examples.items()})


def _parts(asked: Asked, sums: Mapping[frozenset[str], _Sums]) -> Parts:
    numbers: dict[str | None, int] = defaultdict(int)
    for found, own in sums.items():
        for key in _keys(found):
            numbers[key] += own.counts["reviews"]
    if asked.keys is None:
        ranked = sorted(numbers, key=lambda key: (-numbers[key], key is None, key or ""))
        shown = ranked[: asked.limit]
    else:
        shown = list(asked.keys)
    parts = [
        (key, _raw(own for found, own in sums.items() if key in _keys(found))) for key in shown
    ]
    left = [own for found, own in sums.items() if not _keys(found) <= set(shown)]
    others = _raw(left) if left or asked.others or asked.keys is not None else None
    return Parts(_raw(sums.values()), parts, others)


def _keys(found: frozenset[str]) -> frozenset[str | None]:
    return found or frozenset((None,))


def _raw(some: Iterable[_Sums]) -> Raw:
    """The columns that the report makes its figures of."""
    total: dict[str, int] = defaultdict(int)
    waits: list[int] = []
    for own in some:
        for name, number in own.counts.items():
            total[name] += number
        waits += own.waits
    if not waits:
        return total
    waits.sort()
    number = len(waits)
    return {
        **total,
        "reply_lower": waits[(number + 1) // 2 - 1],
        "reply_upper": waits[number // 2],
        "reply_p90": waits[(9 * number + 9) // 10 - 1],
    }
