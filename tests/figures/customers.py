"""What rfm, members and lifecycle must say of customers: SQL over ``bought``, from docs/worth.md alone."""

from datetime import date, timedelta
from typing import Final

import duckdb

from tests.figures.asking import Table, Unknown
from tests.figures.raw import rows

#: Scores and their segment, as docs/worth.md prints them.
_SEGMENTS: Final = """
    case when r >= 4 and f >= 4 and m >= 4 then 'champions' when r >= 4 and f >= 4 then 'loyal'
         when r = 3 and f >= 3 then 'loyal' when r >= 4 and f >= 2 then 'potential'
         when r >= 4 and m >= 3 then 'potential' when r >= 4 then 'new' when r <= 2 and f >= 3 then 'at_risk'
         when r <= 2 and m >= 4 then 'at_risk' when r = 3 then 'hibernating' when r = 2 then 'hibernating'
         else 'lost' end"""
#: Each customer on the day $today with the possible scores: five of M where an amount is not known.
_SCORED: Final = f"""
    with held as (
        select customer, $today - max(day) as recency, count(*) filter (day > $today - 365) as orders,
               sum(amount) filter (day > $today - 365) as amount,
               count(*) filter (day > $today - 365 and amount is null) as lacking
        from bought where day <= $today group by customer),
    scored as (
        select *,
            case when recency <= 30 then 5 when recency <= 60 then 4 when recency <= 90 then 3
                 when recency <= 180 then 2 else 1 end as r,
            case when orders >= 10 then 5 when orders >= 5 then 4 when orders >= 3 then 3
                 when orders >= 2 then 2 else 1 end as f,
            case when lacking > 0 then null when amount >= 300000 then 5 when amount >= 100000 then 4
                 when amount >= 30000 then 3 when amount >= 10000 then 2 else 1 end as told
        from held),
    possible as (
        select scored.*, score as m, {_SEGMENTS} as segment
        from scored join range(1, 6) as every (score) on told is null or told = score),
    judged as (
        select customer, any_value(r)::varchar as r, any_value(f)::varchar as f,
               any_value(told)::varchar as m,
               case when count(distinct segment) = 1 then any_value(segment) end as segment,
               any_value(orders) as orders, coalesce(any_value(amount), 0) as amount,
               any_value(lacking) as lacking
        from possible group by customer)
    select $key as part, count(*) as customers, sum(orders) as net_orders, sum(amount) as net_amount,
           sum(lacking) as lacking, count(*) filter (lacking > 0) as unpriced_customers,
           (select count(*) from judged) as every
    from judged group by part"""
#: The day before each day with orders, and the own interval until then, of the newest 24 days.
_LIFE: Final = """
    with days as (
        select customer, day, count(*) as orders from bought where day <= $today group by customer, day),
    known as (
        select customer, day, lag(day) over own as previous, sum(orders) over own as bought,
               list(day) over (own rows between 23 preceding and current row) as newest,
               sum(orders) over (own rows between unbounded preceding and current row) as until_now
        from days window own as (partition by customer order by day)),
    timed as (
        select *, list_median(list_transform(range(1, len(newest)), lambda i: newest[i + 1] - newest[i]))
            as own_interval
        from known),
    gone as (
        select *, day - previous as away, lag(own_interval) over own as usual, lag(until_now) over own as had,
               away > 90 or (had >= 3 and away > 2 * usual) as won_back
        from timed window own as (partition by customer order by day)),
    judged as (
        select customer, max(until_now) as orders, $today - max(day) as away,
               arg_max(own_interval, day) as own_interval,
               coalesce(bool_or(won_back) filter ($today - day <= 30), false) as won_back,
               sum(until_now - coalesce(had, 0)) filter (day > $today - 365) as of_year
        from gone group by customer)
    select case when orders = 1 and away <= 30 then 'new'
                when away > 180 and (own_interval is null or away > 3 * own_interval) then 'lost'
                when away > 90 or (orders >= 3 and away > 2 * own_interval) then 'dormant'
                when won_back then 'won_back' when of_year >= 2 then 'repeat' else 'active' end as part,
           count(*) as customers, (select count(*) from judged) as every
    from judged group by part"""
#: Each customer with an order until $last: how many tiers they had on $before and on $last, and what they
#: paid since then. A tier holds that was reached on the day before the month began, or on a day of an order
#: since; it takes orders and money of the twelve months that end with that day.
_TIERS: Final = """
    with asked (name, day) as (values ('before', $before::date), ('last', $last::date)),
    looked as (
        select customer, name, date_trunc('month', asked.day)::date - 1 as day
        from asked cross join (select distinct customer from bought)
        union
        select customer, name, bought.day
        from asked join bought on bought.day between date_trunc('month', asked.day)::date and asked.day),
    years as (
        select looked.customer, name, looked.day, count(number) as orders, coalesce(sum(amount), 0) as amount
        from looked left join bought
            on bought.customer = looked.customer
            and bought.day between (looked.day - interval 1 year)::date + 1 and looked.day
        group by all),
    levels as (
        select customer, name,
               max((orders >= 2 and amount >= 50000)::int + (orders >= 6 and amount >= 200000)::int
                   + (orders >= 12 and amount >= 1000000)::int) as level
        from years group by all),
    paid as (
        select customer, count(*) filter (day > $before) as orders,
               coalesce(sum(amount) filter (day > $before), 0) as amount,
               count(*) filter (day > $before and amount is null) as lacking
        from bought where day <= $last group by customer)
    select case now.level when 3 then 'platinum' when 2 then 'gold' when 1 then 'silver' else 'none' end
               as part,
           count(*) as customers, count(*) filter (now.level > was.level) as moved_up,
           count(*) filter (now.level < was.level) as moved_down, sum(paid.orders) as paid_orders,
           sum(paid.amount) as paid_amount, sum(lacking) as lacking
    from paid join levels as now using (customer) join levels as was using (customer)
    where now.name = 'last' and was.name = 'before'
    group by part"""


class Customers:
    """The tables that rfm, members and lifecycle must give of a data set."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rfm(self, today: date, by: str) -> Table:
        """By segment, or by the scores r, f or m, as of ``today``, with the default thresholds."""
        found = rows(self._connection, _SCORED.replace("$key", by), today=today)
        table: Table = {}
        totals = {
            name: sum(row[name] for row in found)
            for name in ("customers", "net_orders", "net_amount", "lacking", "unpriced_customers")
        }
        for kind, key, row in [
            ("whole", None, totals), *(("part", row["part"], row) for row in found)
        ]:  # fmt: skip
            amount, number = int(row["net_amount"]), row["customers"]
            unknown = row["lacking"] > 0
            table[kind, key] = {
                "customers": number,
                "share": round(number / totals["customers"], 6),
                "net_orders": row["net_orders"],
                "net_amount": Unknown(amount) if unknown else amount,
                "amount_per_customer": Unknown()
                if unknown
                else (2 * amount + number) // (2 * number),
                "unpriced_customers": row["unpriced_customers"],
                "erased_customers": 0,
            }
        return table

    def tiers(self, first: date, last: date) -> Table:
        """By the tier of the membership, with the default tiers; moves are from before the day ``first``."""
        found = rows(self._connection, _TIERS, before=first - timedelta(days=1), last=last)
        names = ("customers", "moved_up", "moved_down", "paid_orders", "paid_amount", "lacking")
        totals = {name: sum(row[name] for row in found) for name in names}
        table: Table = {}
        for kind, key, row in [
            ("whole", None, totals), *(("part", row["part"], row) for row in found)
        ]:  # fmt: skip
            amount = int(row["paid_amount"])
            table[kind, key] = {
                **{name: row[name] for name in names[:4]},
                "share": round(row["customers"] / totals["customers"], 6),
                "paid_amount": Unknown(amount) if row["lacking"] else amount,
                "points_used_amount": Unknown(),
                "erased_customers": 0,
            }
        return table

    def lifecycle(self, today: date) -> Table:
        """By stage, as of ``today``."""
        found = rows(self._connection, _LIFE, today=today)
        every = sum(row["customers"] for row in found)
        table: Table = {("whole", None): {"customers": every, "share": 1, "erased_customers": 0}}
        for row in found:
            table["part", row["part"]] = {
                "customers": row["customers"],
                "share": round(row["customers"] / every, 6),
                "erased_customers": 0,
            }
        return table
