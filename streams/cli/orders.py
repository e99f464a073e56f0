"""`huitou orders`: finds orders in the query store, and shows one with its whole history."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_USAGE
from streams.cli.options import require_text
from streams.cli.printable import plain_console, printable
from streams.cli.shops import Shops
from streams.cli.sink import Store, opened

if TYPE_CHECKING:
    from rich.console import Console

    from streams.query.freshness import Freshness

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

#: What an order's page says first, where it is known: the row's name and how it is called.
_TIMES = ("placed", "paid", "shipped", "received", "cancelled", "refund_requested", "refunded")
_MONEY = ("amount", "refunded_amount", "net_amount", "discount")
_WORDS = (
    "pieces", "points_used", "payment_method", "region", "channel", "traffic_source", "remark", "carrier",
    "tracking",
)  # fmt: skip


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
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Placed then or later: 2026-01-31[T18:00]."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Placed before then.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The clock of --from and --to: Asia/Shanghai."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(metavar="PAGE", help="The next page, as the one before it named it."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Orders a page.")] = 20,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Find orders, newest first. Exit 0, also where none is found.

    --from and --to are on the clock of --zone, else of --shop, else UTC, unless they name an offset. What
    says how far the store is behind the topics is printed with every answer. Exit 70 where the shop's clock
    is asked for and Kafka, which has it, does not answer.

    \b
    huitou orders find --customer C1
    huitou orders find --shop tea --status paid --region Zhejiang --from 2026-11-01 --to 2026-11-12
    huitou orders find --remark "gift wrap" --limit 100 --json
    """
    require_text(
        "orders find", id=order_id, shop=shop, customer=customer, product=product, status=status,
        region=region, payment=payment, coupon=coupon, remark=remark, after=after, zone=zone,
        to=until, **{"from": since},
    )  # fmt: skip
    with opened(store, "orders find") as database:
        from streams.query.finding import Wanted, read_key, written
        from streams.query.finding import find as run
        from streams.query.freshness import freshness
        from streams.query.migrating import require_current
        from streams.query.wording import NoClock, instant
        from streams.settings import Settings

        require_current(database)
        settings = Settings()
        shops = Shops(settings, "orders find")
        try:
            if zone is None and (since or until):
                zone = shops.time_zone(shop) if shop else "UTC"
            wanted = Wanted(
                shop=shop, order_id=order_id, customer=customer, product=product, status=status,
                region=region, payment=payment, coupon=coupon, remark=remark,
                since_ms=instant(since, zone) if since else None,
                until_ms=instant(until, zone) if until else None,
                after=read_key(after) if after else None, limit=limit,
            )  # fmt: skip
        except ValueError as error:
            typer.echo(f"huitou orders find: {error}", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        except NoClock as error:
            typer.echo(
                f"huitou orders find: {error}, and the clock of shop {shop} is in Kafka, which does not "
                "answer: add the offset (2026-01-31T18:00+08:00), give --zone Asia/Shanghai, or try again",
                err=True,
            )
            raise typer.Exit(EXIT_DOUBT) from None
        with database.reading() as connection:
            found = run(connection, wanted)
            fresh = freshness(connection, settings)
    following = written(found.next) if found.next else None
    if as_json:
        rows = [for_machines(row) for row in found.orders]
        typer.echo(_json({"orders": rows, "next": following, "freshness": fresh._asdict()}))
        return
    _print_found(found.orders, shops)
    if following:
        typer.echo(f"More: the same command with --after {following}")
    _print_freshness(fresh)


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
        from streams.query.freshness import freshness
        from streams.query.migrating import require_current
        from streams.query.page import pages
        from streams.settings import Settings

        require_current(database)
        settings = Settings()
        with database.reading() as connection:
            found, more = pages(connection, order_id, shop)
            fresh = freshness(connection, settings)
    if as_json:
        typer.echo(
            _json({"orders": for_machines(found), "more": more, "freshness": fresh._asdict()})
        )
    elif found:
        shops = Shops(settings, "orders show")
        for page in found:
            _print_page(page, shops)
        if more:
            typer.echo(
                "Other orders have this id, too: give --shop, or ask `huitou orders find --id`"
            )
        _print_freshness(fresh)
    if not found:
        typer.echo(f"The store has no order {order_id}. {fresh.sentence()}", err=True)
        raise typer.Exit(EXIT_FOUND)


#: What producers name, and nobody else may rename.
_PRODUCERS = frozenset({"attributes", "data"})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def for_machines(value: Any) -> Any:
    """Times as RFC 3339 in UTC, under a name that ends in _at instead of _ms."""
    from streams.domain.describe import moment
    from streams.query.wording import LAST_MS

    if isinstance(value, list):
        return [for_machines(each) for each in value]
    if not isinstance(value, dict):
        return value
    shown: dict[str, Any] = {}
    for name, each in value.items():
        if name in _PRODUCERS:
            shown[name] = each
        elif name.endswith("_ms"):
            time_at = None if each is None else moment(min(each, LAST_MS))
            shown[f"{name.removesuffix('_ms')}_at"] = time_at
        else:
            shown[name] = for_machines(each)
    return shown


def _print_freshness(fresh: "Freshness") -> None:
    typer.echo(fresh.sentence())


def _print_found(rows: list[dict[str, Any]], shops: Shops) -> None:
    from streams.query.wording import local, money

    if not rows:
        typer.echo("No order is like that.")
        return
    table = Table(
        "placed", "shop", "order", "customer", "status", "amount", "payment", "region", "remark"
    )
    for row in rows:
        shop = row["shop_id"]
        table.add_row(
            local(row["ordered_ms"], shops.time_zone(shop)), shop, printable(row["order_id"]),
            printable(row["customer_id"]), row["status"], money(row["amount"], shops.currency(shop)),
            printable(row["payment_method"] or "-"), printable(row["region"] or "-"),
            printable(row["remark"] or "-"),
        )  # fmt: skip
    plain_console().print(table)


def _print_page(page: dict[str, Any], shops: Shops) -> None:
    from streams.query.wording import local, money

    order = page["order"]
    shop = order["shop_id"]
    zone, currency = shops.time_zone(shop), shops.currency(shop)
    console = plain_console()
    console.rule(
        f"order {printable(order['order_id'])} of customer {printable(order['customer_id'])} in shop {shop}: "
        f"{order['status']}",
        align="left",
    )
    console.print(f"times: {zone or 'UTC'}")
    for name, hidden in page["left_out"].items():
        if hidden:
            console.print(
                f"{name}: the newest {len(page[name]):,} of {len(page[name]) + hidden:,} are shown"
            )
    for name in _TIMES:
        if order[f"{name}_ms"] is not None:
            console.print(f"  {name}: {local(order[f'{name}_ms'], zone)}")
    for name in _MONEY:
        if order[name] is not None:
            console.print(f"  {name}: {money(order[name], currency)}")
    for name in _WORDS:
        if order[name] is not None:
            console.print(f"  {name}: {printable(str(order[name]))}")
    if page["coupons"]:
        console.print(f"  coupons: {printable(', '.join(page['coupons']))}")
    _print_rows(
        console, "lines", ("sku", "quantity", "unit price", "category", "attributes"),
        [
            (line["sku"], line["quantity"], money(line["unit_price"], currency), line["category"],
             ", ".join(f"{name}={value}" for name, value in line["attributes"].items()))
            for line in page["lines"]
        ],
    )  # fmt: skip
    _print_rows(
        console, "refunds", ("refund", "status", "kind", "amount", "requested", "decided", "reason"),
        [
            (refund["refund_id"], refund["status"], refund["kind"], money(refund["amount"], currency),
             local(refund["requested_ms"], zone),
             local(refund["refunded_ms"] or refund["withdrawn_ms"], zone), refund["reason"])
            for refund in page["refunds"]
        ],
    )  # fmt: skip
    _print_rows(
        console, "reviews", ("sku", "rating", "posted", "text", "appended", "photos", "replied", "removed"),
        [
            (review["sku"], review["rating"], local(review["posted_ms"], zone), review["text"],
             review["appended_text"], review["photos"], local(review["replied_ms"], zone),
             local(review["removed_ms"], zone))
            for review in page["reviews"]
        ],
    )  # fmt: skip
    _print_rows(
        console, "history", ("time", "status", "refund", "said by", "event"),
        [
            (local(event["time_ms"], zone), event["status"], event["refund_id"], event["source"],
             event["event_id"])
            for event in page["history"]
        ],
    )  # fmt: skip
    _print_rows(
        console, "triggers of the customer around it", ("time", "kind", "campaign", "code", "trigger"),
        [
            (local(each["time_ms"], zone), each["kind"], each["campaign"], each["code"], each["trigger_id"])
            for each in page["triggers"]
        ],
    )  # fmt: skip


def _print_rows(
    console: "Console", title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*("-" if value in (None, "") else printable(str(value)) for value in row))
    console.print(table)
