"""`huitou campaigns list` and `show`: what is applied, since when, and by whom."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import (
    AsJson,
    OfShop,
    campaign_named,
    print_json,
    read,
    version_named,
)
from streams.cli.printable import plain_console, printable

if TYPE_CHECKING:
    from streams.campaign_topic import AsRead
    from streams.campaigns.applied.view import Campaigns


def list_applied(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what is applied: which version holds now, which one next, and what is paused.

    Records that do not count are told too, with the reason. Exit code 70: Kafka does not answer.

    \b
    huitou campaigns list
    huitou campaigns list --json | jq -r '.campaigns[] | select(.paused) | .campaign'
    """
    from streams.settings import Settings

    found = read("list", Settings())
    shops = found.campaigns.shops() if shop is None else [shop]
    listed = [
        _listed(found.campaigns, of, name, _now_ms())
        for of in shops
        for name in found.campaigns.campaigns(of)
    ]
    if as_json:
        print_json({"campaigns": listed, **_of_topic(found)})
        return
    _print_list(listed)
    for each in found.refused:
        typer.echo(printable(f"offset {each.offset} does not count: {each.reason}"), err=True)


def show(
    campaign: Annotated[str, typer.Argument(help="The campaign's name.")],
    version: Annotated[
        str | None,
        typer.Option(metavar="V", help="Its first digits, at least 4; else the newest."),
    ] = None,
    shop: OfShop = None,
    as_json: AsJson = False,
) -> None:
    """Show a version of a campaign, as a file that may be applied again, and all that happened to it.

    Every version that was ever applied is there. Exit code 2: no such campaign or version.

    \b
    huitou campaigns show cart-rescue --shop tea
    huitou campaigns show cart-rescue --shop tea --version 93d8 > campaigns/cart-rescue.yaml
    """
    from streams.authoring.writing import yaml_text
    from streams.settings import Settings

    found = read("show", Settings())
    of, versions = campaign_named("show", found.campaigns, campaign, shop)
    shown = version_named("show", versions, version)
    if as_json:
        print_json(
            {
                **_listed(found.campaigns, of, campaign, _now_ms()),
                "shown": shown.version,
                "definition": dict(shown.written),
                "history": _history(found.campaigns, of, campaign),
            }
        )
        return
    typer.echo(f"# {of}: version {shown.version}")
    for each in _history(found.campaigns, of, campaign):
        typer.echo(printable(f"# {_told(each)}"))
    typer.echo(yaml_text(shown.written), nl=False)


def _listed(campaigns: "Campaigns", shop: str, name: str, now: int) -> dict[str, Any]:
    from streams.domain.moments import moment

    versions = campaigns.versions(shop, name)
    newest, pause = versions[-1], campaigns.pause(shop, name)
    holding = campaigns.judging(shop, name, now)
    # What comes next is the newest one: it goes before all that were applied earlier.
    waiting = newest if (newest.effective_from or 0) > now else None
    return {
        "shop": shop,
        "campaign": name,
        "paused": pause is not None,
        "version": holding and holding.version,
        "effective_from": holding and moment(holding.effective_from),
        "next": waiting
        and {"version": waiting.version, "effective_from": moment(waiting.effective_from)},
        "versions": len(versions),
        "by": newest.by,
        "applied": moment(newest.at),
        "pause": pause and {"by": pause.by, "at": moment(pause.at), "reason": pause.reason},
    }


def _history(campaigns: "Campaigns", shop: str, name: str) -> list[dict[str, Any]]:
    """Versions and pauses in the order of the topic."""
    from streams.domain.moments import moment

    happened: list[dict[str, Any]] = [
        {
            "offset": each.offset,
            "change": "applied",
            "version": each.version,
            "effective_from": moment(each.effective_from),
            "by": each.by,
            "at": moment(each.at),
        }
        for each in campaigns.versions(shop, name)
    ]
    happened += [
        {
            "offset": each.offset,
            "change": "paused" if each.paused else "resumed",
            "reason": each.reason,
            "by": each.by,
            "at": moment(each.at),
        }
        for each in campaigns.standings(shop, name)
    ]
    return sorted(happened, key=lambda each: int(each["offset"]))


def _told(each: dict[str, Any]) -> str:
    said = f"{each['at']} {each['change']} by {each['by']}"
    if each["change"] == "applied":
        since = each["effective_from"] or "when it was read"
        return f"{said}: {each['version']}, from {since} on"
    return f"{said}: {each['reason']}" if each.get("reason") else said


def _of_topic(found: "AsRead") -> dict[str, Any]:
    return {
        "offset": found.campaigns.offset,
        "digest": found.campaigns.digest(),
        "refused_records": found.refused_records,
        "refused": [each._asdict() for each in found.refused],
    }


def _print_list(listed: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from streams.cli.campaign_words import since_column, version_column

    if not listed:
        typer.echo("Nothing is applied: huitou campaigns apply DIR --shop SHOP")
        return
    table = Table("shop", "campaign", "", version_column(), since_column("from"), "by")
    for each in listed:
        row = [each["shop"], each["campaign"]]
        if each["paused"]:
            pause = each["pause"]
            table.add_row(*row, "paused", "", pause["at"], printable(pause["by"]))
            row = ["", ""]
        elif each["version"]:
            since = each["effective_from"] or "since ever"
            by = "" if each["next"] else printable(each["by"])
            table.add_row(*row, "holds", each["version"], since, by)
            row = ["", ""]
        if each["next"]:
            after = each["next"]
            table.add_row(
                *row, "next", after["version"], after["effective_from"], printable(each["by"])
            )
    plain_console().print(table)


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
