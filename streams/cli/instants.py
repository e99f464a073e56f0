"""--from and --to of commands that look into the query store, on a clock that somebody named."""

import typer

from streams.cli.endings import EXIT_DOUBT, EXIT_USAGE
from streams.cli.shops import Shops


def between(
    command: str,
    shops: Shops,
    *,
    shop: str | None,
    zone: str | None,
    since: str | None,
    until: str | None,
) -> tuple[int | None, int | None]:
    """Both in ms since 1970, None where nothing was said.

    On the clock of ``zone``, else of ``shop``, else UTC, unless a time names an offset.

    Ends `huitou <command>` with a sentence where a time is none, or the shop's clock cannot be read.
    """
    from streams.query.wording import NoClock, instant

    if zone is None and (since or until):
        zone = shops.time_zone(shop) if shop else "UTC"
    try:
        return (
            instant(since, zone) if since else None,
            instant(until, zone) if until else None,
        )
    except ValueError as error:
        typer.echo(f"huitou {command}: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    except NoClock as error:
        typer.echo(
            f"huitou {command}: {error}, and the clock of shop {shop} is in Kafka, which does not "
            "answer: add the offset (2026-01-31T18:00+08:00), give --zone Asia/Shanghai, or try again",
            err=True,
        )
        raise typer.Exit(EXIT_DOUBT) from None
