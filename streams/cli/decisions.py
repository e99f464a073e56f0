"""`huitou decisions`: each yes and no of the campaigns, and why, from the query store."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from streams.cli.endings import EXIT_FOUND, EXIT_USAGE
from streams.cli.instants import between
from streams.cli.options import NextPage, Zone, require_text
from streams.cli.order_pages import for_machines
from streams.cli.printable import plain_console, printable
from streams.cli.shops import Shops
from streams.cli.sink import Store, opened
from streams.query.wording import local


def decisions(
    shop: Annotated[
        str, typer.Option(help="Whose customers; its clock is that of --from and --to.")
    ],
    customer: Annotated[str | None, typer.Option(help="The customer's id.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign's name.")] = None,
    outcome: Annotated[str | None, typer.Option(help="issued or refused.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="The step that refused, as campaign_cap: docs/refusals.md names all."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Decided then or later: 2026-01-31[T18:00]."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Decided before then.")
    ] = None,
    zone: Zone = None,
    after: NextPage = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Decisions a page.")] = 20,
    store: Store = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One JSON object, with every step and its values; times in UTC."
        ),
    ] = False,
) -> None:
    """List coupons that campaigns issued and refused, newest first, each with its reasons.

    Exit 0, also where none is found; 1 where --shop is unknown. A customer of whom nothing is listed did not
    earn an offer: no campaign's rule held. docs/refusals.md says what each step means.

    \b
    huitou decisions --shop tea --customer C1
    huitou decisions --shop tea --campaign bad-review --outcome refused --from 2026-11-01
    huitou decisions --shop tea --reason consent --limit 100 --json
    """
    require_text(
        "decisions", shop=shop, customer=customer, campaign=campaign, outcome=outcome, reason=reason,
        after=after, zone=zone, to=until, **{"from": since},
    )  # fmt: skip
    with opened(store, "decisions") as database:
        from streams.query.deciding import WantedDecisions, find_decisions, page_key
        from streams.query.freshness import freshness, held
        from streams.query.migrating import require_current
        from streams.query.page_keys import written
        from streams.reports.reach import has_shop
        from streams.settings import Settings

        require_current(database)
        settings = Settings()
        shops = Shops(settings, "decisions")
        since_ms, until_ms = between(
            "decisions", shops, shop=shop, zone=zone, since=since, until=until
        )
        try:
            wanted = WantedDecisions(
                shop=shop, customer=customer, campaign=campaign,
                outcome=outcome,
                reason=reason, since_ms=since_ms, until_ms=until_ms,
                after=page_key(after) if after else None, limit=limit,
            )  # fmt: skip
        except ValueError as error:
            typer.echo(f"huitou decisions: {error}", err=True)
            raise typer.Exit(EXIT_USAGE) from None
        with database.reading() as connection:
            found = find_decisions(connection, wanted)
            stored = held(connection, settings)
            known = bool(found.decisions) or has_shop(connection, shop)
        fresh = freshness(stored, settings)
    if not known and not shops.has_settings(shop):
        # An empty list would look like campaigns that never earned anything.
        typer.echo(
            f"huitou decisions: shop {printable(shop)} is unknown: the store has nothing of it, and "
            f"it has no settings that were read. {fresh.sentence()}",
            err=True,
        )
        raise typer.Exit(EXIT_FOUND)
    following = written(found.next) if found.next else None
    if as_json:
        rows = [for_machines(row) for row in found.decisions]
        answer = {"decisions": rows, "next": following, "freshness": fresh._asdict()}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    _print(found.decisions, shops.time_zone(shop))
    if following:
        typer.echo(f"More: the same command with --after {following}")
    typer.echo(fresh.sentence())


def _print(rows: list[dict[str, Any]], zone: str | None) -> None:
    if not rows:
        typer.echo("No decision is like that.")
        return
    table = Table("time", "customer", "campaign", "outcome", "because", "it saw", "code")
    for row in rows:
        table.add_row(
            local(row["time_ms"], zone), printable(row["customer_id"]), printable(row["campaign"]),
            row["outcome"] if row["reason"] is None else f"refused: {printable(row['reason'])}",
            printable("; ".join(f"{each['rule']} {each['value']}" for each in row["why"]) or "-"),
            printable(_saw(row["checks"]) or "-"), printable(row["code"] or "-"),
        )  # fmt: skip
    plain_console().print(table)


def _saw(checks: list[dict[str, Any]]) -> str:
    """What the step saw that refused."""
    if not checks:
        return ""
    last = checks[-1]
    return f"{last['step']}: {last['value']}"
