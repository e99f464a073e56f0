"""What reports must say of purchases: SQL over ``bought`` and ``goods`` (tests/figures/raw.py).

Written from the definitions in docs/reports.md and docs/worth.md, each figure straight from the rows of
purchases: buyers of a period are a distinct count over all its rows, no sum of days.
No code of huitou is used. A column ``x__least`` says what is known of the figure ``x`` where that is NULL.
"""

from datetime import date, timedelta
from typing import Any, Final

import duckdb

from tests.figures.asking import Table, Unknown
from tests.figures.raw import rows

#: A dimension's part as SQL; weeks are named by their Monday or, if that is later, the period's first day.
DIMENSIONS: Final = {
    "day": "day::varchar",
    "week": "greatest(date_trunc('week', day)::date, $first)::varchar",
    "month": "month",
    "region": "region",
    "age": "age",
    "payment": "null::varchar",
    "carrier": "null::varchar",
    "hour": "lpad(hour::varchar, 2, '0')",
    "product": "sku",
    "category": "category",
}
_PAID: Final = """
    count(distinct number) as paid_orders,
    count(distinct customer) as buyers,
    case when count(amount) = count(*) then coalesce(sum(amount), 0) end as paid_amount,
    coalesce(sum(amount), 0) as paid_amount__least,
    paid_amount as net_amount,
    paid_amount__least as net_amount__least,
    case when buyers > 0 then floor(paid_amount / buyers::decimal(18, 0) + 0.5) end as per_buyer,
    case when paid_orders > 0 then floor(paid_amount / paid_orders::decimal(18, 0) + 0.5) end
        as order_value"""
_GOODS: Final = """
    coalesce(sum(quantity), 0) as pieces,
    case when count(price) = count(*) then coalesce(sum(price * quantity), 0) end as goods_amount,
    coalesce(sum(price * quantity), 0) as goods_amount__least,
    count(distinct number) as paid_orders,
    count(distinct customer) as buyers"""
_NO_REFUNDS: Final = """
    0 as refunds, 0 as refunded_orders, 0 as refunded_amount,
    case when count(*) > 0 then 0.0 end as refund_rate,
    case when sum(amount) > 0 and count(amount) = count(*) then 0.0 end as refund_amount_rate,
    0 as cohort_refunded_orders, 0 as cohort_refunded_amount,
    case when count(*) > 0 then 0.0 end as cohort_refund_rate,
    case when sum(amount) > 0 and count(amount) = count(*) then 0.0 end as cohort_refund_amount_rate"""
_NO_PARCELS: Final = """
    count(*) as paid_orders, 0 as shipped_orders, 0 as received_orders, count(*) as open_orders,
    0 as disordered_orders, null as shipping_median, null as shipping_p90, null as delivery_median,
    null as delivery_p90, null as waiting_median, null as waiting_p90, null as late_orders"""


#: Which order a redemption is of: of its household's baskets of that day the first in which a coupon took
#: something off, else the first.
_COUPONS: Final = """
    with baskets as (
        select household_id, basket_id, any_value(at_the_till)::date as day,
               min(transaction_timestamp) as began, bool_or(coupon_disc > 0) as discounted
        from transactions group by all)
    select distinct household_id::varchar as customer, basket_id::varchar as number,
                    coupon_upc::varchar as code
    from coupon_redemptions_file join (
        select household_id, day, arg_min(basket_id, row(not discounted, began, basket_id)) as basket_id
        from baskets group by all) using (household_id)
    where day = redemption_date"""


class Purchases:
    """The tables that reports must give of a data set."""

    def coupons(self) -> list[tuple[str, str, str]]:
        """(customer, order, code) of every redemption; of a data set that has any."""
        found = rows(self._connection, _COUPONS)
        return [(row["customer"], row["number"], row["code"]) for row in found]

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def paid(self, first: date, last: date, by: str | None) -> Table:
        """overview, payments, regions, hours: what they share."""
        return self._by("bought", _PAID, first, last, by)

    def refunds(self, first: date, last: date, by: str | None) -> Table:
        """Nobody was refunded anything."""
        return self._by("bought", _NO_REFUNDS, first, last, by)

    def fulfilment(self, first: date, last: date, by: str | None) -> Table:
        """Nothing was sent."""
        return self._by("bought", _NO_PARCELS, first, last, by)

    def products(self, first: date, last: date, by: str | None, most: int) -> Table:
        """The ``most`` greatest by pieces, and the others."""
        if by in (None, "day", "week", "month"):
            return self._goods(first, last, by, "true")
        ranked = rows(
            self._connection,
            f"""select {DIMENSIONS[by]} as key from goods join bought using (customer, number)
                where day between $first and $last
                group by {DIMENSIONS[by]} order by sum(quantity) desc, key is null, key limit {most + 1}""",
            first=first, last=last,
        )  # fmt: skip
        if len(ranked) <= most:
            return self._goods(first, last, by, "true")
        self._connection.execute("create or replace temp table shown (key varchar)")
        self._connection.executemany(
            "insert into shown values (?)", [(each["key"],) for each in ranked[:most]]
        )
        of_shown = f"exists (select 1 from shown where key is not distinct from {DIMENSIONS[by]})"
        found = self._goods(first, last, by, of_shown)
        found["whole", None] = self._goods(first, last, None, "true")["whole", None]
        found["others", None] = self._goods(first, last, None, f"not {of_shown}")["whole", None]
        return found

    def _goods(self, first: date, last: date, by: str | None, where: str) -> Table:
        return self._by(
            f"(select * from goods join bought using (customer, number) where {where})",
            _GOODS, first, last, by,
        )  # fmt: skip

    def repurchase(self, first: date, last: date) -> Table:
        """The period, and the windows that end with its last day."""
        found = {("whole", None): self._window(first, last)}
        for days in (30, 90, 180, 365):
            began = last - timedelta(days=days - 1)
            found["part", f"{days} days"] = self._window(began, last)
        return found

    def _window(self, first: date, last: date) -> dict[str, Any]:
        before = first - (last - first) - timedelta(days=1)
        (found,) = rows(
            self._connection,
            """
            with now as (
                select customer, count(distinct number) as orders, count(distinct day) as days
                from bought where day between $first and $last group by customer),
            previous as (
                select distinct customer, true as before from bought where day >= $before and day < $first)
            select count(*) filter (orders > 0) as buyers,
                   count(*) filter (orders >= 2) as repeat_buyers,
                   repeat_buyers / nullif(buyers, 0) as repurchase_rate,
                   count(*) filter (days >= 2) as day_repeat_buyers,
                   day_repeat_buyers / nullif(buyers, 0) as day_repurchase_rate,
                   count(*) filter (before) as previous_buyers,
                   count(*) filter (before and orders > 0) as returned_buyers,
                   returned_buyers / nullif(previous_buyers, 0) as return_rate
            from now full join previous using (customer)
            """,
            first=first, last=last, before=before,
        )  # fmt: skip
        return _known(found)

    def intervals(self, first: date, last: date, by: str | None) -> Table:
        """Times between two orders of one customer, of which the later is of the period."""
        classes = """case when lasted < 1 then 'under 1 day' when lasted < 7 then '1-6 days'
            when lasted < 30 then '7-29 days' when lasted < 60 then '30-59 days'
            when lasted < 90 then '60-89 days' when lasted < 180 then '90-179 days'
            when lasted < 365 then '180-364 days' else '365 days and more' end"""
        return self._by(
            """(select *, epoch_ms(paid_at) - lag(epoch_ms(paid_at)) over (
                    partition by customer order by paid_at) as ms, ms / 86400000 as lasted from bought
                qualify ms is not null)""",
            """count(*) as intervals,
               floor(quantile_cont(ms, 0.5) + 0.5) as interval_median,
               list_sort(list(ms))[ceil(0.9 * count(*))::bigint] as interval_p90""",
            first, last, classes if by == "length" else by,
        )  # fmt: skip

    def cohorts(self, first: date, last: date) -> Table:
        """Cohorts of the period's months; a month that the period does not hold whole is not known."""
        counted = ", ".join(
            f"""case when ${{end}} > last_day(began::date + interval {at} month)
                then count(distinct customer) filter (later = {at}) end as month_{at}"""
            for at in range(1, 13)
        ).replace("${end}", "($last + 1)")
        found = rows(
            self._connection,
            f"""
            with firsts as (
                select customer, date_trunc('month', min(day)) as began from bought
                where day <= $last group by customer having min(day) >= $first)
            select 'part' as kind, strftime(began, '%Y-%m') as key, count(distinct customer) as customers,
                   {counted}
            from (select *, datediff('month', began, day) as later from firsts join bought using (customer)
                  where day between $first and $last)
            group by began
            """,
            first=first, last=last,
        )  # fmt: skip
        table = _table(found)
        nobody: dict[str, Any] = {f"month_{at}": Unknown() for at in range(1, 13)}
        every = sum(figures["customers"] for figures in table.values())
        table["whole", None] = {"customers": every, **nobody}
        return table

    def value(self, first: date, last: date) -> Table:
        """What the cohorts of the period's months paid until its end."""
        return _table(
            rows(
                self._connection,
                f"""
                with firsts as (
                    select customer, strftime(min(day), '%Y-%m') as began from bought
                    where day <= $last group by customer having min(day) >= $first)
                select case when began is null then 'whole' else 'part' end as kind, began as key,
                       buyers as customers, paid_orders, paid_amount, paid_amount__least,
                       net_amount, net_amount__least, per_buyer as value_per_customer
                from (select began, {_PAID} from firsts join bought using (customer)
                      where day between $first and $last group by grouping sets ((), (began)))
                """,
                first=first,
                last=last,
            )
        )

    def _by(self, source: str, figures: str, first: date, last: date, by: str | None) -> Table:
        """``figures`` over the rows of the period, and by a dimension."""
        key = "null" if by is None else DIMENSIONS.get(by, by)
        sets = "()" if by is None else "(), (key)"
        grouped = "1" if by is None else "grouping(key)"
        return _table(
            rows(
                self._connection,
                f"""
                select case when {grouped} = 1 then 'whole' else 'part' end as kind,
                       case when kind = 'part' then any_value(key) end as key, {figures}
                from (select *, {key} as key from {source} where day between $first and $last)
                group by grouping sets ({sets})
                """,
                first=first,
                last=last,
            )
        )


def _table(found: list[dict[str, Any]]) -> Table:
    return {(row.pop("kind"), row.pop("key")): _known(row) for row in found}


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """Figures that are NULL as Unknown; shares to six places, as reports round them."""
    figures = {}
    for name, value in row.items():
        if name.endswith("__least"):
            continue
        if value is None:
            least = row.get(f"{name}__least")
            figures[name] = Unknown(None if least is None else int(least))
        elif isinstance(value, float) and not value.is_integer():
            figures[name] = round(value, 6)
        else:
            figures[name] = int(value)
    return figures
