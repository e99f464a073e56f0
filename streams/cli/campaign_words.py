"""What the commands of `huitou campaigns` have in common: how they read, print and end."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import endings
from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE
from streams.cli.printable import printable

if TYPE_CHECKING:
    from rich.table import Column

    from streams.authoring.files import Checked
    from streams.campaign_topic import AsRead
    from streams.campaigns.applied.history import Version
    from streams.campaigns.applied.view import Campaigns
    from streams.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
OfShop = Annotated[
    str | None,
    typer.Option("--shop", metavar="SHOP", help="The shop; needed where more than one is known."),
]
#: What of a version must be said to name it.
FEWEST_DIGITS = 4


def count(number: int, name: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def print_checked(file: "Checked", *, err: bool = False) -> None:
    """A file's problems, as compilers have them, so that editors and terminals jump to the place."""
    for each in file.problems:
        field = f"{each.path}: " if each.path else ""
        place = f"{file.path}:{each.place.line}:{each.place.column}"
        typer.echo(printable(f"{place}: {each.severity}: {field}{each.message}"), err=err)
    if file.definition is not None and not err:
        typer.echo(printable(f"{file.path}: {file.definition.campaign}, version {file.version}"))


def print_json(said: dict[str, Any]) -> None:
    json.dump(said, sys.stdout, ensure_ascii=False, indent=1)
    typer.echo()


def version_column() -> "Column":
    """Of a table: versions are copied from it, so they are never cut."""
    from rich.table import Column

    return Column("version", no_wrap=True, min_width=16)


def since_column(title: str) -> "Column":
    """Of a table: times, which are never cut either."""
    from rich.table import Column

    return Column(title, no_wrap=True, min_width=24)


def end(command: str, said: str, code: int) -> typer.Exit:
    """Says why `huitou campaigns <command>` does no more."""
    return endings.end(f"campaigns {command}", printable(said), code)


def read(command: str, settings: "Settings") -> "AsRead":
    """What is applied by now; ends the command where Kafka does not tell it whole."""
    from streams.campaign_topic import CampaignTopicError, read_campaigns
    from streams.engine.log_errors import LogError, LogIncomplete
    from streams.operations.logging import configure

    configure("critical")
    try:
        return read_campaigns(settings)
    except (CampaignTopicError, LogIncomplete) as error:
        raise end(command, str(error), EXIT_DOUBT) from None
    except LogError as error:
        raise end(command, str(error), EXIT_REFUSED) from None


def shop_named(command: str, shop: str | None, known: Sequence[str]) -> str:
    """``shop``, or the only one that is known; ends the command where it is no id or there are several."""
    import msgspec

    from schemas.envelope import ShopId
    from schemas.settings import STACK

    if shop is None:
        if len(known) != 1:
            which = f" ({', '.join(known[:10])}{', ...' if len(known) > 10 else ''})"
            raise end(
                command,
                f"--shop SHOP is needed: {len(known) or 'no'} shops are known{which if known else ''}",
                EXIT_USAGE,
            )
        return known[0]
    try:
        msgspec.convert(shop, ShopId)
    except msgspec.ValidationError:
        raise end(
            command,
            f"--shop {shop}: a shop id has 1 to 64 letters, digits, '.', '_' or '-'",
            EXIT_USAGE,
        ) from None
    if shop == STACK:
        raise end(command, f"--shop {STACK}: every shop applies its own campaigns", EXIT_USAGE)
    return shop


def campaign_named(
    command: str, campaigns: "Campaigns", campaign: str, shop: str | None
) -> tuple[str, Sequence["Version"]]:
    """The shop that has ``campaign``, and its versions; ends the command where there is none, or several."""
    from streams.campaigns.language.problems import nearest

    shops = campaigns.shops() if shop is None else [shop]
    having = [each for each in shops if campaigns.versions(each, campaign)]
    if not having:
        names = sorted({name for each in shops for name in campaigns.campaigns(each)})
        where = "no shop" if shop is None else f"shop {shop}"
        raise end(
            command,
            f"{where} has {'' if shop is None else 'not '}applied a campaign {campaign!r}"
            f"{nearest(campaign, names) if names else ': nothing is applied yet'}",
            EXIT_USAGE,
        )
    if len(having) > 1:
        raise end(
            command, f"--shop SHOP is needed: {', '.join(having[:10])} have {campaign}", EXIT_USAGE
        )
    return having[0], campaigns.versions(having[0], campaign)


def version_named(command: str, versions: Sequence["Version"], version: str | None) -> "Version":
    """The one whose version begins so, or the newest; ends the command where there is none, or several."""
    if version is None:
        return versions[-1]
    found = [each for each in versions if each.version.startswith(version)]
    different = {each.version for each in found}
    if len(version) < FEWEST_DIGITS or len(different) != 1:
        known = list(dict.fromkeys(each.version for each in reversed(versions)))
        raise end(
            command,
            f"version {version} names {len(different)}: say at least {FEWEST_DIGITS} digits of one of "
            f"{', '.join(known[:10])}{', ...' if len(known) > 10 else ''}",
            EXIT_USAGE,
        )
    return found[-1]
