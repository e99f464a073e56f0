"""`huitou replay`: a recorded data set, played into the stack by its own time."""

import time
from pathlib import Path
from typing import Annotated

import typer

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.playback import Playback
from producers.replay.shuffle import ShuffledFeed
from producers.replay.taobao import RefusedRow, TaobaoFeed, read_sample
from producers.source import Feed
from streams.cli.sources import (
    Json,
    errors,
    finish,
    parse_rate,
    play,
    said_errors,
    stack_cluster,
)

replay_app = typer.Typer(
    help="Recorded data sets; the stack's clock follows them until they end.",
    no_args_is_help=True,
    add_completion=False,
)


@replay_app.callback()
def _group() -> None:
    """A group even with one data set, so that its name is part of the command."""


@replay_app.command()
def taobao(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, gzip or not.")],
    speed: Annotated[
        str, typer.Option(help="Seconds of the data set in one of wall time, or max.")
    ] = "max",
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
    shuffle: Annotated[
        int | None, typer.Option(metavar="SEED", help="Skew the topics against each other.")
    ] = None,
    no_clock: Annotated[bool, typer.Option(help="Leave the clock to whoever has it.")] = False,
    delivered: Annotated[
        Path | None, typer.Option(help="Write which offsets were delivered, as JSON.")
    ] = None,
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
        played = play(Playback(feed, rate=rate), publisher, clock, as_json)
    finish(played, delivered, as_json, refused=len(refused))


def _start_to_end_now(feed: Feed, rate: float) -> int:
    """Where a feed must start to end, played at ``rate``, when the wall clock is there too."""
    length = feed.until_ms - feed.start_ms
    now = time.time_ns() // 1_000_000
    return now - length + (int(length / rate) if rate else 0)
