"""The portrait on a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from streams.cli.portrait.sections import sections
from streams.cli.portrait.words import Words
from streams.cli.printable import printable
from streams.query.known import Known


def print_portrait(
    console: Console, described: dict[str, Any], known: Known | None, words: Words
) -> None:
    """Print the page; texts of customers and shops as ``printable`` has them."""
    named = f"{words('portrait')} {printable(described['customer_id'])}"
    place = words("in_shop", shop=printable(described["shop_id"]))
    worth = described["worth"]
    as_of = words("as_of", moment=worth["day"]) if worth else ""
    # On whose clock all times are; without the shop's settings it is not known, and they are in UTC.
    zone = described["orders"]["time_zone"] or "UTC"
    console.rule(" · ".join(filter(None, (named, place, as_of, zone))), align="left")
    every = sections(described, known, words)
    # One grid for all sections, so that their texts stand below each other.
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    for section in every:
        grid.add_row(printable(section.title), "", style="bold")
        for label, text in section.lines:
            grid.add_row(f"  {printable(label)}", printable(text))
    console.print(grid)
