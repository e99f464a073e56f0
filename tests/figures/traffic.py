"""What reports of traffic must say of Taobao's sample: SQL over its raw rows, table ``behaviour``
(tests/figures/raw.py). No code of huitou is used.

Days are those of the sample's clock, Asia/Shanghai. A visitor is a customer with a view (``pv``) in the
period, distinct over the whole of it; the sample knows no session, page or store visit. Cart additions
(``cart``) and purchases (``buy``) count as told; a favourite is no view. Nothing is told of orders that were
placed and not paid, and nothing of sources, regions and amounts: what rests on those cannot be known.
"""

from datetime import date
from typing import Any, Final

import duckdb

from tests.figures.raw import rows

#: Shares are NULL where nobody visited.
_FIGURES: Final = """
    count(distinct customer) filter (kind = 'pv') as visitors,
    count(*) filter (kind = 'pv') as views,
    count(distinct customer) filter (kind = 'cart' and came) as visitors_who_added,
    visitors_who_added / nullif(visitors, 0) as add_to_cart_rate,
    count(distinct customer) filter (kind = 'cart') as adders,
    count(distinct customer) filter (kind = 'buy') as buyers,
    count(distinct customer) filter (kind = 'buy' and came) as paying_visitors,
    buyers - paying_visitors as buyers_without_visit,
    paying_visitors / nullif(visitors, 0) as conversion,
    count(*) filter (kind = 'cart') as cart_additions,
    count(*) filter (kind = 'fav') as favourites,
    count(*) filter (kind = 'buy') as paid_orders"""
#: ``came``: whether the customer viewed anything in the period, or in that part of it.
_SQL: Final = f"""
    select key, {_FIGURES} from (
        select *, bool_or(kind = 'pv') over (partition by customer, key) as came
        from (select *, {{key}} as key from behaviour where day between $first and $last))
    group by key order by key"""
#: How far the visitors of a part came, each step distinct customers of the step before.
FUNNEL: Final = ("visitors", "viewed", "added", "paid")
_FUNNEL_SQL: Final = """
    select key,
           count(*) filter (viewed) as visitors, count(*) filter (viewed) as viewed,
           count(*) filter (viewed and added) as added, count(*) filter (viewed and added and paid) as paid
    from (select day::varchar as key, customer,
                 bool_or(kind = 'pv') as viewed, bool_or(kind = 'cart') as added,
                 bool_or(kind = 'buy') as paid
          from behaviour where day between $first and $last group by all)
    group by key order by key"""
_HOURS_SQL: Final = """
    select hour(there) as hour, count(*) as views from behaviour
    where kind = 'pv' and day between $first and $last group by all order by all"""
_KEYS: Final = {None: "null::varchar", "day": "day::varchar", "category": "category"}


class Traffic:
    """The figures of Taobao's sample, as ``raw.taobao`` gives it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def figures(self, first: date, last: date, by: str | None = None) -> dict[Any, dict[str, Any]]:
        """Part (None: the whole) -> its figures. ``by``: None, day or category (of the product of the row: a
        visitor of a category viewed a product of it)."""
        found = rows(self._connection, _SQL.format(key=_KEYS[by]), first=first, last=last)
        return {row.pop("key"): row for row in found}

    def funnel(self, first: date, last: date) -> dict[str, dict[str, int]]:
        """Day -> FUNNEL's steps: customers who viewed, and of those who added, and of those who paid, each on
        that day. ``placed`` is not among them: the sample does not tell it."""
        found = rows(self._connection, _FUNNEL_SQL, first=first, last=last)
        return {row.pop("key"): row for row in found}

    def hours(self, first: date, last: date) -> dict[int, int]:
        """Hour of day, 0 to 23 -> views in it; an hour without any is not there."""
        found = rows(self._connection, _HOURS_SQL, first=first, last=last)
        return {row["hour"]: row["views"] for row in found}
