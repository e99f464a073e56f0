"""`huitou customer ID`: what is known of a customer at this moment."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from redis.exceptions import RedisError

from schemas.partitioner import partition_of
from streams.cli.customer_listing import print_listing
from streams.cli.options import require_text
from streams.cli.portrait.asking import asked
from streams.cli.portrait.page import print_portrait
from streams.cli.portrait.words import Language, Words, language_of
from streams.cli.printable import plain_console
from streams.cli.shops import Shops
from streams.cli.sink import Store
from streams.settings import Settings
from streams.state.codec import StateCodecError
from streams.state.connection import Client, connect
from streams.state.keys import PartitionKeys
from streams.state.reader import Customer, read_customer
from streams.state.scanning import escape_pattern, scan


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID")],
    shop: Annotated[
        str | None, typer.Option(help="One shop only, which is read at once; else all are sought.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a shop, each on a line.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Every field of the live state, as it is named.")
    ] = False,
    language: Annotated[
        Language | None, typer.Option(help="Of the portrait; default: the locale's.")
    ] = None,
    store: Store = None,
) -> None:
    """Show the portrait of customer ID: who they are, how they shop, what they prefer, what they are worth
    as of a stated moment, where they stand and why, risks, offers and what came of them. Exit 1 for an
    unknown one.

    Product names and what came of offers are the query store's; without it the rest is shown.

    \b
    huitou customer 100001 --shop tea
    huitou customer 100001 --shop tea --language zh
    huitou customer 100001 --full
    huitou customer 100001 --json | jq .worth.rfm
    """  # fmt: skip
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
    # Worth is judged by what the shop had settled at the moment that the state is of.
    described = [held.describe(shops.settings_of(held.state.shop_id, held.as_of)) for held in found]
    console = plain_console()
    if as_json:
        for one in described:
            typer.echo(json.dumps(one, ensure_ascii=False))
    elif full:
        for one in described:
            print_listing(console, one)
    else:
        words = Words(language or language_of())
        for one, known in zip(described, asked(settings, store, described), strict=True):
            print_portrait(console, one, known, words)


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
        # A state of another kind is named <kind>:<shop>/<id>.
        if found == customer_id and ":" not in shop_id:
            shops.add(shop_id)
    return shops
