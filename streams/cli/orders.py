"""`huitou orders`: finds orders in the query store, and shows one with its whole history."""

import json
from typing import Annotated

import typer

from streams.cli.endings import EXIT_FOUND, EXIT_USAGE
from streams.cli.instants import between
from streams.cli.options import NextPage, Zone, require_text
from streams.cli.order_pages import csv_of, for_machines, print_found, print_page
from streams.cli.printable import printable
from streams.cli.shops import Shops
from streams.cli.sink import Store, opened

orders_app = typer.Typer(
    help="Orders in the query store, which `huitou sink` fills.",
    no_args_is_help=True,
    add_completion=False,
)

Shop = Annotated[
    str | None, typer.Option(help="Only of this shop; its clock is that of --from and --to.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object; times in UTC, money in minor units.")
]


@orders_app.command()
def find(
    order_id: Annotated[str | None, typer.Option("--id", help="The order's id.")] = None,
    shop: Shop = None,
    customer: Annotated[str | None, typer.Option(help="The customer's id.")] = None,
    product: Annotated[str | None, typer.Option(help="The sku of one of its lines.")] = None,
    status: Annotated[
        str | None,
        typer.Option(
            help="placed, paid, shipped, received, cancelled, refund_requested, refunded, unknown."
        ),
    ] = None,
    region: Annotated[str | None, typer.Option()] = None,
    payment: Annotated[str | None, typer.Option(help="The payment method.")] = None,
    coupon: Annotated[str | None, typer.Option(help="The code of a coupon that was used.")] = None,
    remark: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A part of its remark.")
    ] = None,
    brushed: Annotated[
        bool | None,
        typer.Option(
            "--brushed/--not-brushed", help="Only those held to be brushed, or none of them."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Placed then or later: 2026-01-31[T18:00]."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Placed before then.")
    ] = None,
    zone: Zone = None,
    after: NextPage = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Orders a page.")] = 20,
    store: Store = None,
    as_json: Json = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A line an order; times in UTC, money in minor units.")
    ] = False,
) -> None:
    """Find orders, newest first. Exit 0, also where none is found; 1 where --shop is unknown.

    --from and --to are on the clock of --zone, else of --shop, else UTC, unless they name an offset. What
    says how far the store is behind the topics is printed with every answer. Exit 70 where the shop's clock
    is asked for and Kafka, which has it, does not answer.

    \b
    huitou orders find --customer C1
    huitou orders find --shop tea --status paid --region Zhejiang --from 2026-11-01 --to 2026-11-12
    huitou orders find --shop tea --brushed
    huitou orders find --remark "gift wrap" --limit 100 --json
    huitou orders find --shop tea --coupon NOV11 --limit 10000 --csv > orders.csv
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    require_text(
        "orders find", id=order_id, shop=shop, customer=customer, product=product, status=status,
        region=region, payment=payment, coupon=coupon, remark=remark, after=after, zone=zone,
        to=until, **{"from": since},
    )  # fmt: skip
    with opened(store, "orders find") as database:
        from streams.query.finding import Wanted, page_key
        from streams.query.finding import find as run
        from streams.query.freshness import freshness, held
        from streams.query.migrating import require_current
        from streams.query.order_contents import add_contents
        from streams.query.page_keys import written
        from streams.reports.reach import has_shop
        from streams.settings import Settings

        require_current(database)
        settings = Settings()
        shops = Shops(settings, "orders find")
        since_ms, until_ms = between(
            "orders find", shops, shop=shop, zone=zone, since=since, until=until
        )
        try:
            wanted = Wanted(
                shop=shop, order_id=order_id, customer=customer, product=product, status=status,
                region=region, payment=payment, coupon=coupon, remark=remark, brushed=brushed,
                since_ms=since_ms, until_ms=until_ms,
                after=page_key(after) if after else None, limit=limit,
            )  # fmt: skip
        except ValueError as error:
            typer.echo(f"huitou orders find: {error}", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        with database.reading() as connection:
            found = run(connection, wanted)
            add_contents(connection, found.orders)
            stored = held(connection, settings)
            known = shop is None or bool(found.orders) or has_shop(connection, shop)
        fresh = freshness(stored, settings)
    if shop is not None and not known and not shops.has_settings(shop):
        # No orders would look like a shop that sells nothing.
        typer.echo(
            f"huitou orders find: shop {printable(shop)} is unknown: the store has no order and no review of "
            f"it, and it has no settings that were read. {fresh.sentence()}",
            err=True,
        )
        raise typer.Exit(EXIT_FOUND)
    following = written(found.next) if found.next else None
    if as_json:
        rows = [for_machines(row) for row in found.orders]
        typer.echo(_json({"orders": rows, "next": following, "freshness": fresh._asdict()}))
        return
    if as_csv:
        typer.echo(csv_of(found.orders, shops), nl=False)
    else:
        print_found(found.orders, shops)
    if following:
        typer.echo(f"More: the same command with --after {following}", err=as_csv)
    typer.echo(fresh.sentence(), err=as_csv)


@orders_app.command()
def show(
    order_id: Annotated[str, typer.Argument(metavar="ORDER_ID")],
    shop: Annotated[str | None, typer.Option(help="Only of this shop.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show an order with its whole history, lines, refunds and reviews, and the triggers of its customer.

    Two customers who use one order id have two orders: both are shown, and at most 20. Of a longer history,
    of refunds and of reviews the newest 500 are shown. Exit 1 for an unknown one.

    \b
    huitou orders show 20261101-0042
    huitou orders show 20261101-0042 --shop tea --json
    """
    require_text("orders show", order_id=order_id, shop=shop)
    with opened(store, "orders show") as database:
        from streams.query.freshness import freshness, held
        from streams.query.migrating import require_current
        from streams.query.page import pages
        from streams.settings import Settings

        require_current(database)
        settings = Settings()
        with database.reading() as connection:
            found, more = pages(connection, order_id, shop)
            stored = held(connection, settings)
        fresh = freshness(stored, settings)
    if as_json:
        typer.echo(
            _json({"orders": for_machines(found), "more": more, "freshness": fresh._asdict()})
        )
    elif found:
        shops = Shops(settings, "orders show")
        for page in found:
            print_page(page, shops)
        if more:
            typer.echo(
                "Other orders have this id, too: give --shop, or ask `huitou orders find --id`"
            )
        typer.echo(fresh.sentence())
    if not found:
        typer.echo(f"The store has no order {order_id}. {fresh.sentence()}", err=True)
        raise typer.Exit(EXIT_FOUND)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
