"""`huitou customer ID`: what is known of a customer at this moment."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from schemas.partitioner import partition_of
from streams.cli.customer_worth import print_worth
from streams.cli.options import require_text
from streams.cli.printable import plain_console, printable
from streams.cli.shops import Shops
from streams.settings import Settings
from streams.state.codec import StateCodecError
from streams.state.connection import Client, connect
from streams.state.keys import PartitionKeys
from streams.state.reader import Customer, read_customer
from streams.state.scanning import escape_pattern, scan

#: Nested lists longer than this are cut for people (never in JSON).
SHOWN = 20
#: What is shown of a customer, by the names of ``streams.domain.describe``.
PARTS = ("browsing", "cart", "orders", "reviews", "service", "wishes", "profile")


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID")],
    shop: Annotated[
        str | None, typer.Option(help="One shop only, which is read at once; else all are sought.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a shop, each on a line.")
    ] = False,
) -> None:
    """Show the live state of customer ID, what they are worth as of a stated moment, pending timers and
    coupons. Exit 1 for an unknown one.

    huitou customer 100001 --shop tea

    huitou customer 100001 --json | jq .worth.rfm
    """
    require_text("customer", customer_id=customer_id, shop=shop)
    settings = Settings()
    try:
        with connect(settings.redis_url) as redis:
            found = list(_read(redis, settings, customer_id, shop))
    except (RedisError, StateCodecError) as error:
        typer.echo(f"huitou customer: Redis at {settings.redis_url}: {error}", err=True)
        raise typer.Exit(1) from None
    if not found:
        where = f"shop {shop}" if shop else "any shop"
        typer.echo(
            f"Customer {customer_id} is unknown in {where}: no event of theirs was processed yet "
            f"(looked in partition {partition_of(customer_id.encode(), settings.partitions)} of "
            f"{settings.redis_prefix!r} in {settings.redis_url}).",
            err=True,
        )
        raise typer.Exit(1)
    shops = Shops(settings, "customer")
    for held in found:
        # Worth is judged by what the shop had settled at the moment that the state is of.
        description = held.describe(shops.settings_of(held.state.shop_id, held.as_of))
        if as_json:
            typer.echo(json.dumps(description, ensure_ascii=False))
        else:
            _print(plain_console(), description)


def _read(
    redis: Client, settings: Settings, customer_id: str, shop: str | None
) -> Iterator[Customer]:
    shops = [shop] if shop else sorted(_shops_of(redis, settings, customer_id))
    for shop_id in shops:
        held = read_customer(redis, settings, shop_id, customer_id)
        if held is not None:
            yield held


def _shops_of(redis: Client, settings: Settings, customer_id: str) -> set[str]:
    """The shops that know the customer, by a walk over all keys of Redis, which goes on meanwhile."""
    partition = partition_of(customer_id.encode(), settings.partitions)
    base = PartitionKeys(settings.redis_prefix, partition).state_base
    shops: set[str] = set()
    for key in scan(redis, base, f"*/{escape_pattern(customer_id)}"):
        # A customer id may hold a slash, a shop id may not.
        shop_id, _, found = key.decode().removeprefix(base).partition("/")
        if found == customer_id:
            shops.add(shop_id)
    return shops


def _print(console: Console, description: dict[str, Any]) -> None:
    console.rule(
        f"customer {printable(description['customer_id'])} in shop {description['shop_id']}"
        f" (partition {description['partition']}, commit {description['seq']})",
        align="left",
    )
    console.print(f"seen {description['first_seen']} to {description['last_seen']}")
    if description["erased_at"] is not None:
        console.print(f"erased: nothing until {description['erased_at']} counts or is known")
    print_worth(console, description["worth"], description["orders"]["time_zone"])
    for part in PARTS:
        console.print(part, style="bold")
        for name, value in description[part].items():
            if value not in (0, None, [], {}, ""):
                console.print(f"  {name}: {_short(value)}")
    _print_rows(console, "pending timers", description["timers"])
    _print_rows(console, "coupons", description["coupons"])


def _print_rows(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print(f"{title}: none", style="bold")
        return
    table = Table(*rows[0], title=title, title_justify="left", title_style="bold")
    for row in rows[-SHOWN:]:
        table.add_row(*(printable(str(value)) for value in row.values()))
    console.print(table)


def _short(value: Any) -> str:
    return printable(_cut(value))


def _cut(value: Any) -> str:
    if isinstance(value, list) and len(value) > SHOWN:
        return f"{json.dumps(value[-SHOWN:], ensure_ascii=False)} and {len(value) - SHOWN} earlier"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
