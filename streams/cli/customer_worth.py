"""What a customer is worth, as `huitou customer` prints it for people (streams.domain.describe_worth)."""

from typing import Any

from rich.console import Console
from rich.table import Table

from streams.cli.printable import printable

_UNKNOWN = "not known"
_COLUMNS = ("paid", "paid_amount", "net", "net_amount")


def print_worth(console: Console, worth: dict[str, Any] | None, time_zone: str | None) -> None:
    """Print ``worth`` (None: nobody knows the shop's settings) as a few lines and a table."""
    if worth is None:
        console.print("worth: not known without the shop's settings", style="bold")
        return
    console.print(f"worth as of {worth['as_of']} ({worth['day']} in {time_zone})", style="bold")
    for line in _lines(worth):
        console.print(f"  {printable(line)}")
    table = Table("window", *_COLUMNS)
    windows = {f"{days} days": window for days, window in worth["windows"].items()}
    for name, window in {**windows, "12 months": worth["twelve_months"]}.items():
        cells = [_UNKNOWN] * len(_COLUMNS) if window is None else [window[c] for c in _COLUMNS]
        table.add_row(name, *(_UNKNOWN if cell is None else str(cell) for cell in cells))
    console.print(table)


def _lines(worth: dict[str, Any]) -> list[str]:
    stage, rfm = worth["lifecycle"], worth["rfm"]
    until = f", until {stage['changes_at']} if nothing happens" if stage["changes_at"] else ""
    lines = [
        f"life-cycle: {_said(stage['stage'])}{until}",
        f"tier: {_said(worth['tier'])}",
        f"RFM: {_rfm(rfm)}",
    ]
    if worth["interval_days"] is not None:
        lines.append(
            f"order interval: {worth['interval_days']:g} days, next order expected "
            f"{worth['expected_next']}"
        )
    if worth["favourite_hour"] is not None:
        lines.append(f"favourite hour: {worth['favourite_hour']}")
    if worth["known_from"] is not None:
        lines.append(
            f"paid orders before {worth['known_from']} are not known by day "
            f"({worth['why_unknown']}): what needs them is not known"
        )
    return lines


def _rfm(rfm: dict[str, Any]) -> str:
    if rfm["scored"] is False:
        return "not scored, no orders"
    if rfm["r"] is None and rfm["f"] is None:
        return _UNKNOWN
    scores = "/".join("?" if rfm[name] is None else str(rfm[name]) for name in ("r", "f", "m"))
    missing = f", of unknown amount {rfm['unknown_amounts']}" if rfm["unknown_amounts"] else ""
    return (
        f"{scores}, segment {_said(rfm['segment'])} (days since the last order {_said(rfm['recency_days'])}; "
        f"in 365 days: orders {_said(rfm['orders'])}{missing}, amount {_said(rfm['amount'])})"
    )


def _said(value: object) -> str:
    return _UNKNOWN if value is None else str(value)
