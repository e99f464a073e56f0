"""What a demo came to, for people and as JSON."""

from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.trigger import TriggerEvent
from streams.demo.words import TITLES, because, promise


class Verified(msgspec.Struct):
    """Of `huitou verify`: states, timers, triggers, journal rows and positions together."""

    compared: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0


class Summary(msgspec.Struct, kw_only=True):
    """The JSON of ``--summary``. Events are records; latencies are in ms, None without a trigger."""

    events_published: int
    events_applied: int
    duplicates: int
    dead_letters: int
    #: By campaign, all campaigns in force.
    triggers: dict[str, int]
    trigger_latency_ms: dict[str, float | None]
    #: Records with a delivery report that nothing became of.
    lost: int
    #: Where, as "topic[partition]".
    lost_in: dict[str, int]
    verify: Verified
    #: Partitions recovered, by the case that was found; "current" is a plain start.
    recoveries: dict[str, int]
    restarts: int
    #: Customers with a state in Redis.
    customers: int
    data: str
    #: Seconds in the shop in one of wall time.
    factor: float
    events_per_second: float = 0.0
    #: Wall time of the whole demo, and of the events' flow in it.
    seconds: float = 0.0
    seconds_of_events: float = 0.0

    @property
    def proved(self) -> bool:
        """Nothing was lost, and the log folded again agrees with everything."""
        verified = self.verify
        return not (self.lost or verified.missing or verified.extra or verified.different)


def write(summary: Summary) -> bytes:
    """As JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n"


def show(summary: Summary, examples: Sequence[TriggerEvent], console: Console) -> None:
    """The closing table."""
    console.print()
    console.print(Group(_figures(summary), *_coupons(examples)))
    console.print(_verdict(summary))


def _figures(summary: Summary) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_header=False, padding=(0, 2), pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")
    rate = f"{summary.events_per_second:,.0f} a second for {summary.seconds_of_events:.0f} s"
    table.add_row("events published", f"{summary.events_published:,}", rate)
    table.add_row("  applied", f"{summary.events_applied:,}", f"{summary.customers:,} customers")
    table.add_row("  duplicates", f"{summary.duplicates:,}", "recognised and not counted twice")
    table.add_row("  dead letters", f"{summary.dead_letters:,}", "unreadable, kept with the reason")
    table.add_row("  lost", _red(summary.lost), ", ".join(summary.lost_in))
    table.add_section()
    for campaign, count in summary.triggers.items():
        table.add_row(f"coupons: {TITLES.get(campaign, campaign).lower()}", f"{count:,}", "")
    latency = summary.trigger_latency_ms
    if latency["p50"] is not None and latency["p99"] is not None:
        table.add_row(
            "from cause to readable",
            f"{latency['p50']:,.0f} ms",
            f"median; 99 of 100 within {latency['p99']:,.0f} ms",
        )
    table.add_section()
    verified = summary.verify
    table.add_row("folded again and compared", f"{verified.compared:,}", "states, coupons, ...")
    table.add_row("  missing", _red(verified.missing), "")
    table.add_row("  extra", _red(verified.extra), "")
    table.add_row("  different", _red(verified.different), "")
    if summary.restarts:
        cases = ", ".join(f"{count} {case}" for case, count in summary.recoveries.items())
        table.add_row("workers restarted", f"{summary.restarts}", f"partitions recovered: {cases}")
    return table


def _coupons(examples: Sequence[TriggerEvent]) -> list[RenderableType]:
    return [
        Text.assemble(
            ("e.g. ", "dim"),
            (event.data.customer_id, "cyan"),
            f": {promise(event.data.offer)} with code ",
            (event.data.offer.code if event.data.offer else "-", "bold"),
            f", because of {because(event.data)}",
        )
        for event in examples
    ]


def _verdict(summary: Summary) -> Text:
    if summary.proved:
        return Text(
            "\nEvery event was counted once, and the log folded again gives the same states and "
            "the same coupons.",
            "bold green",
        )
    return Text("\nThis run does not add up: see what is red above.", "bold red")


def _red(count: int) -> Text:
    return Text(f"{count:,}", "bold red" if count else "green")
