"""`huitou simulate`: customers who never were, ahead of the wall clock by a stated factor."""

import time
from pathlib import Path
from typing import Annotated

import typer

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner, newest_time
from producers.playback import Playback
from producers.simulator import Mischief, Simulator
from producers.simulator.catalogue import publish_catalogue
from producers.simulator.simulator import activity_for, customers_for
from streams.cli.sources import Json, errors, finish, play, said_errors, stack_cluster


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same customers.")] = 1,
    customers: Annotated[
        int | None, typer.Option(min=1, help="Default: as many as make --rate, at Taobao's pace.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Events a second of wall time, about.")
    ] = 300.0,
    factor: Annotated[
        float, typer.Option(min=0.001, help="Seconds of the shop's time in one of wall time.")
    ] = 120.0,
    seconds: Annotated[float, typer.Option(min=1.0, help="Wall time to run for.")] = 60.0,
    shop: Annotated[str, typer.Option(help="The shop id of all events.")] = "simulated",
    by_hour: Annotated[
        bool, typer.Option(help="Quiet nights and busy evenings, as in Taobao's sample.")
    ] = False,
    duplicates: Annotated[float, typer.Option(min=0, max=0.3, help="Share sent twice.")] = 0.01,
    late: Annotated[float, typer.Option(min=0, max=0.3, help="Share sent late.")] = 0.01,
    malformed: Annotated[
        float, typer.Option(min=0, max=0.3, help="Unreadable records, as a share of the good ones.")
    ] = 0.01,
    delivered: Annotated[
        Path | None, typer.Option(help="Write which offsets were delivered, as JSON.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate a shop; its clock runs ahead, so that 30 minutes pass in 15 s at factor 120.

    First it lists its products in shop.products, with their names; these are not among the events counted.

    It starts at the wall's time, or where the stack's clock is if that is ahead of it, and hands
    the clock back at the end. SIGINT and SIGTERM do so too; exit code 130 then.
    """
    people = customers or customers_for(rate, factor)
    try:
        activity = 1.0 if customers is None else activity_for(rate, factor, customers)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with said_errors("simulate"):
        cluster = stack_cluster()
        publisher = BulkPublisher(cluster, client_id="huitou-simulate")
        start_ms = max(time.time_ns() // 1_000_000, newest_time(cluster))
        simulator = Simulator(
            seed,
            people,
            start_ms,
            until_ms=start_ms + int(seconds * factor * 1000),
            shop_id=shop,
            activity=activity,
            by_hour=by_hour,
            mischief=Mischief.of(duplicates, late, malformed, publisher.partitions),
        )
        clock = ClockOwner(
            cluster,
            tool="simulator",
            start_ms=start_ms,
            until_ms=simulator.until_ms,
            rate=factor,
        )
        publish_catalogue(cluster, shop, start_ms)
        if not as_json:
            errors.print(f"{people:,} customers, {factor:g} times as fast as the wall clock")
        played = play(Playback(simulator, rate=factor), publisher, clock, as_json)
    finish(played, delivered, as_json, customers=people, factor=factor)
