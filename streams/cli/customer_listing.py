"""All that is known of a customer, field by field, as `huitou customer --full` prints it for people."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.cli.customer_worth import print_worth
from streams.cli.printable import printable

#: Nested lists longer than this are cut for people (never in JSON).
SHOWN = 20
#: What is shown of a customer, by the names of ``streams.domain.describe``.
PARTS = ("browsing", "cart", "orders", "reviews", "service", "wishes", "profile")


def print_listing(console: Console, description: dict[str, Any]) -> None:
    """Print ``description`` (streams.domain.describe) part by part."""
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
    _print_rows(console, "messages, surveys and tasks", description["contacts"])


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
