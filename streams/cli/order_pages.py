"""An order for people, on the shop's clock and in its currency, and for machines."""

import csv
import io
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from streams.cli.printable import csv_text, plain_console, printable
from streams.cli.shops import Shops
from streams.domain.moments import moment
from streams.query.wording import LAST_MS, local, money

#: What an order's page says first, where it is known: the row's name and how it is called.
_TIMES: Final = (
    "placed",
    "paid",
    "shipped",
    "received",
    "cancelled",
    "refund_requested",
    "refunded",
)
_MONEY: Final = ("amount", "refunded_amount", "net_amount", "discount")
_WORDS: Final = (
    "pieces", "points_used", "payment_method", "region", "channel", "traffic_source", "remark", "carrier",
    "tracking",
)  # fmt: skip
#: What the value of a sign is: streams.domain.integrity.score.
_VALUES: Final = {
    "rate": "{} orders of it within an hour", "unviewed": "looked at for {} s before",
    "device": "{} buyers on the phone", "address": "{} buyers at the address",
    "praise": "five stars {} s after receipt",
}  # fmt: skip
#: Products and coupons of an order that its row in a table shows.
_SHOWN: Final = 2
_COLUMNS: Final = (
    "shop_id", "order_id", "customer_id", "status", "brushed", "amount", "refunded_amount", "net_amount",
    "pieces", "payment_method", "region", "remark",
)  # fmt: skip
#: What producers name, and nobody else may rename.
_PRODUCERS: Final = frozenset({"attributes", "data"})


def for_machines(value: Any) -> Any:
    """Times as RFC 3339 in UTC, under a name that ends in _at instead of _ms."""
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


def print_found(rows: list[dict[str, Any]], shops: Shops) -> None:
    """Print the rows of a page of orders as a table."""
    if not rows:
        typer.echo("No order is like that.")
        return
    table = Table(
        "placed", "shop", "order", "customer", "status", "amount", "products", "coupons", "payment",
        "region", "remark",
    )  # fmt: skip
    for row in rows:
        shop = row["shop_id"]
        table.add_row(
            local(row["ordered_ms"], shops.time_zone(shop)), shop, printable(row["order_id"]),
            printable(row["customer_id"]), _status(row), money(row["amount"], shops.currency(shop)),
            _few(row["skus"]), _few(row["coupon_codes"]),
            printable(row["payment_method"] or "-"), printable(row["region"] or "-"),
            printable(row["remark"] or "-"),
        )  # fmt: skip
    plain_console().print(table)


def _few(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return printable(", ".join(names[:_SHOWN]) or "-") + more


def csv_of(rows: list[dict[str, Any]], shops: Shops) -> str:
    """A line an order, with a header: times in UTC, money in minor units, names divided by blanks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["placed_at", *_COLUMNS, "currency", "skus", "coupon_codes"])
    for row in rows:
        cells = [
            csv_text(row[name]) if isinstance(row[name], str) else row[name] for name in _COLUMNS
        ]
        lists = [csv_text(" ".join(row[name])) for name in ("skus", "coupon_codes")]
        placed_at = moment(min(row["ordered_ms"], LAST_MS))
        writer.writerow([placed_at, *cells, shops.currency(row["shop_id"]) or "", *lists])
    return out.getvalue()


def _status(row: dict[str, Any]) -> str:
    return f"{row['status']}, brushed" if row["brushed"] else row["status"]


def print_page(page: dict[str, Any], shops: Shops) -> None:
    """Print all that streams.query.page.pages says of one order."""
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
    if page["verdict"] is not None:
        _print_verdict(console, page["verdict"], zone)
    if page["coupons"]:
        console.print(f"  coupons: {printable(', '.join(page['coupons']))}")
    _print_rows(
        console, "lines", ("sku", "name", "quantity", "unit price", "category", "attributes"),
        [
            (line["sku"], line["name"], line["quantity"], money(line["unit_price"], currency),
             line["category"], ", ".join(f"{name}={value}" for name, value in line["attributes"].items()))
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
        console, "reviews",
        ("sku", "name", "rating", "posted", "text", "appended", "photos", "replied", "removed"),
        [
            (review["sku"], review["name"], review["rating"], local(review["posted_ms"], zone),
             review["text"], review["appended_text"], review["photos"], local(review["replied_ms"], zone),
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
    _print_rows(
        console, "what the customer was refused around it", ("time", "campaign", "reason", "decision"),
        [
            (local(each["time_ms"], zone), each["campaign"], each["reason"], each["decision_id"])
            for each in page["refusals"]
        ],
    )  # fmt: skip


def _print_verdict(console: Console, verdict: dict[str, Any], zone: str | None) -> None:
    held = "held to be brushed" if verdict["brushed"] else "no longer held to be brushed"
    of_product = f" by {printable(verdict['sku'])}" if verdict["sku"] else ""
    console.print(
        f"  verdict: {held} since {local(verdict['time_ms'], zone)}, {verdict['points']} points{of_product}"
    )
    for reason in verdict["reasons"]:
        sign = reason["sign"]
        console.print(
            f"    {sign}: {reason['points']} points, {_VALUES[sign].format(reason['value'])}"
        )


def _print_rows(
    console: Console, title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*("-" if value in (None, "") else printable(str(value)) for value in row))
    console.print(table)
