"""`huitou report`: a merchant's figures from the query store and the live stream, with their definitions."""

import re
import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.options import require_text
from streams.cli.printable import printable
from streams.cli.shops import Shops
from streams.cli.sink import Store, opened

if TYPE_CHECKING:
    from streams.reports.model import Asked, CurrencySpan, ThresholdSpan, TierSpan

_CURRENCY = re.compile("[A-Z]{3}")


class Compare(StrEnum):
    """What --compare takes."""

    previous = "previous"
    year = "year"


def report(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Without it the reports are listed.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="The shop; its clock decides what a day is.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="The first day: 2026-01-31.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day, included.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="DIMENSION", help="day, week, month or what the report has."),
    ] = None,
    compare: Annotated[
        Compare | None,
        typer.Option(help="Beside it: as many days right before, or the same dates a year before."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000, help="Parts shown; the others are one row.")
    ] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object; money in minor units.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="A line a part; money in minor units; empty is unknown.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="With each figure's definition and source.")
    ] = False,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In place of the shop's own, as Asia/Shanghai."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="In place of the shop's own, as CNY.")
    ] = None,
    store: Store = None,
) -> None:
    """Show a report of a shop over a period: the days --from to --to, both included, on the shop's clock.

    Orders, reviews and refunds come from the query store; visits, carts and searches live from Redis.

    What cannot be known is a dash with a note (null and `why` in JSON), never 0. Several currencies are never
    added together. The shop's settings come from Kafka; with --time-zone and --currency it is not asked
    for them, and rfm and themes go by the defaults. Exit codes: 0; 1 nobody knows the shop; 2 no such report
    or dimension; 70 the store or Kafka does not answer; 78 refused.

    \b
    huitou report
    huitou report overview --shop tea --from 2026-11-01 --to 2026-11-30 --by day
    huitou report funnel --shop tea --from 2026-11-01 --to 2026-11-30 --by source
    huitou report products --shop tea --from 2026-11-01 --to 2026-11-11 --compare year --limit 50
    huitou report regions --shop tea --from 2026-01-01 --to 2026-12-31 --csv > regions.csv
    huitou report rfm --shop tea --from 2026-11-01 --to 2026-11-30 --compare previous
    huitou report sharing --shop tea --from 2026-11-01 --to 2026-11-30 --by customer
    huitou report reviews --shop tea --from 2026-11-01 --to 2026-11-30 --by theme
    huitou report benchmark --shop tea --from 2026-11-01 --to 2026-11-30
    huitou report overview --explain
    """  # fmt: skip
    require_text("report", name=name, shop=shop, by=by)
    with opened(store, "report") as database:
        from streams.cli.report_pages import definitions, listed

        if name is None:
            listed()
            return
        try:
            from streams.reports.model import Asked
            from streams.reports.period import Period, day_of
            from streams.reports.registry import dimension_of, report_named
            from streams.reports.themes import THEME
            from streams.settings import Settings

            found = report_named(name)
            dimension = dimension_of(found, by)
            if explain and shop is None and since is None and until is None:
                definitions(found)
                return
            if shop is None or since is None or until is None:
                raise ValueError("say --shop, --from and --to")
            if as_json and as_csv:
                raise ValueError("--json and --csv are two forms of one answer: take one")
            settings = Settings()
            period = (day_of(since), day_of(until))
            shops = Shops(settings, "report")
            zone, currencies, thresholds, tiers = _settings_of(shops, shop, time_zone, currency)
            asked = Asked(
                shop, Period(*period, zone), dimension, limit, currencies, thresholds, tiers=tiers
            )
            if dimension == THEME and not (time_zone and currency) and shops.definitions:
                newest = shops.definitions.review_themes(shop)
                asked = asked if newest is None else replace(asked, themes=newest)
            if found.categories:
                asked = _in_category(shops, asked)
        except ValueError as error:
            typer.echo(f"huitou report: {error}", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        from redis.exceptions import RedisError

        from streams.cli.live import live_aggregates, walk
        from streams.cli.report_data import for_csv, for_json
        from streams.cli.report_pages import printed
        from streams.query.freshness import freshness, held
        from streams.query.goals import goals_of
        from streams.query.migrating import require_current
        from streams.reports.answer import answer
        from streams.reports.goals import with_goals
        from streams.reports.live import has_counted
        from streams.reports.reach import has_shop, reach
        from streams.reports.read_once import ReadOnce
        from streams.state.codec import StateCodecError

        require_current(database)
        try:
            with database.reading() as connection:
                reached = reach(connection)
                asked = replace(asked, reach_ms=reached.since_ms, reach_why=reached.why)
                if found.live:
                    live, why = live_aggregates(settings)
                    asked = replace(asked, live=live and ReadOnce(live), live_why=why)
                    if asked.by in found.walks:
                        states = walk(settings, shop) if live else None
                        asked = replace(asked, states=states, states_why=why)
                said = answer(connection, found, asked, compare.value if compare else None)
                said = with_goals(said, goals_of(connection, shop))
                stored = held(connection, settings)
                known = has_shop(connection, shop) or has_counted(asked)
            fresh = freshness(stored, settings)
        except ValueError as error:
            typer.echo(f"huitou report: {error}", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        except StateCodecError as error:
            typer.echo(f"huitou report: {error}", err=True)
            raise typer.Exit(EXIT_REFUSED) from None
        except RedisError as error:
            typer.echo(f"huitou report: Redis at {settings.redis_url}: {error}", err=True)
            raise typer.Exit(EXIT_DOUBT) from None
    if not known and not _has_settings(shops, shop, asked_kafka=not (time_zone and currency)):
        # Its zeros would look like a shop that sells nothing.
        typer.echo(
            f"huitou report: shop {printable(shop)} is unknown: the store has no order and no review of "
            f"it, the stream has counted nothing of it, and it has no settings that were read. "
            f"{fresh.sentence()}",
            err=True,
        )
        raise typer.Exit(EXIT_FOUND)
    if as_json:
        typer.echo(for_json(said, fresh, explain=explain))
    elif as_csv:
        sys.stdout.write(for_csv(said))
        typer.echo(fresh.sentence(), err=True)
    else:
        printed(said, explain=explain)
        typer.echo(fresh.sentence())


def _in_category(shops: Shops, asked: "Asked") -> "Asked":
    """With the shop's category at the period's end, or why it has none."""
    from streams.reports.category import category_of

    definitions = shops.definitions
    if definitions is None:
        return replace(asked, category_why="Kafka did not tell the shops' categories")
    category = category_of(definitions, asked.shop, asked.period.until_ms - 1)
    why = "the shop is in no category: `huitou settings apply` gives it one"
    return replace(asked, category=category, category_why=why)


def _has_settings(shops: Shops, shop: str, *, asked_kafka: bool) -> bool:
    """Whether Kafka has told settings of the shop's own; with ``asked_kafka`` False it is not asked now."""
    return asked_kafka and shops.has_settings(shop)


def _settings_of(
    shops: Shops, shop: str, time_zone: str | None, currency: str | None
) -> tuple[str, tuple["CurrencySpan", ...], tuple["ThresholdSpan", ...], tuple["TierSpan", ...]]:
    """The shop's zone, currencies, RFM thresholds and tiers (none of these: the defaults).

    Raises ValueError for an unknown zone; ends where Kafka must say.
    """
    from streams.reports.currencies import FOREVER, spans, threshold_spans, tier_spans
    from streams.reports.model import CurrencySpan

    if time_zone is not None:
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"no time zone {time_zone!r}: write as Asia/Shanghai") from None
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise ValueError(f"no currency {currency!r}: write its three letters, as CNY")
    given = (CurrencySpan(FOREVER, currency),) if currency else ()
    if time_zone is not None and given:
        return time_zone, given, (), ()
    definitions = shops.definitions
    zone = time_zone or shops.time_zone(shop)
    if zone is None:
        # Other days would be other figures.
        typer.echo(
            "huitou report: which days the shop has is not known: start Kafka, or say --time-zone",
            err=True,
        )
        raise typer.Exit(EXIT_DOUBT)
    if definitions is None:
        return zone, given, (), ()
    return (
        zone, given or spans(definitions, shop), threshold_spans(definitions, shop),
        tier_spans(definitions, shop),
    )  # fmt: skip
