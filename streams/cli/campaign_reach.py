"""`huitou campaigns reach`: whom a campaign's audience fits now, and why it fits the others not."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import AsJson, count, end, print_checked, print_json
from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.printable import plain_console, printable

if TYPE_CHECKING:
    from streams.campaigns.estimate import Estimate
    from streams.campaigns.language.definition.definition import CampaignDefinition
    from streams.domain.shop import ShopSettings
    from streams.settings import Settings
    from streams.state.connection import Client

#: Two standard errors: 95 of 100 estimates are so near, or nearer.
_NEAR = 1.96


def reach(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A campaign's file.")],
    shop: Annotated[str, typer.Option(help="The shop.")],
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this customer, with all that was seen.")
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(min=100, help="Read so many customers at most, and say how near that is."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say how many of a shop's customers a campaign's audience fits now, and what keeps the others out.

    Customers are as they are when they are read, and looked at as of the newest moment that a partition's
    clock has reached. Whom a trigger concerns is not in it: an audience is asked when its trigger comes.
    With --customer each condition is shown with the value that was seen.

    Exit code 1: the file is wrong, or there is no such customer; 70: Redis or Kafka does not answer; 78: a
    state cannot be read.

    \b
    huitou campaigns reach campaigns/win-back.yaml --shop tea
    huitou campaigns reach campaigns/win-back.yaml --shop tea --most 100000 --json
    huitou campaigns reach campaigns/win-back.yaml --shop tea --customer 100001
    """
    from redis.exceptions import RedisError

    from streams.cli.shops import Shops
    from streams.segments.reading import moment_of
    from streams.settings import Settings
    from streams.state.codec import StateCodecError
    from streams.state.connection import connect

    if file.is_dir():
        raise end("reach", f"{file} is a folder: name one campaign's file", EXIT_USAGE)
    if customer is not None and most is not None:
        raise end("reach", "--most is of all customers, and --customer of one", EXIT_USAGE)
    definition, settings = _read(file), Settings()
    try:
        with connect(settings.redis_url) as redis:
            as_of = moment_of(redis, settings)
            held = Shops(settings, "campaigns reach").settings_of(shop, as_of)
            if held is None:
                raise end(
                    "reach", "what the shop has settled is not known: start Kafka", EXIT_DOUBT
                )
            if customer is not None:
                _show_one(redis, settings, definition, held, customer, as_of, as_json=as_json)
            else:
                found, is_all = _counted(redis, settings, definition, held, as_of, most)
                _show(definition, held, found, as_of, is_all=is_all, as_json=as_json)
    except RedisError as error:
        raise end("reach", f"Redis at {settings.redis_url}: {error}", EXIT_DOUBT) from None
    except StateCodecError as error:
        raise end("reach", str(error), EXIT_REFUSED) from None


def _read(file: Path) -> "CampaignDefinition":
    from streams.authoring.files import FilesError, campaign_files, check_files

    try:
        (checked,) = check_files(campaign_files(file))
    except FilesError as error:
        raise end("reach", str(error), EXIT_USAGE) from None
    print_checked(checked, err=True)
    if checked.definition is None:
        raise end("reach", f"{file} is wrong", EXIT_FOUND)
    return checked.definition


def _counted(
    redis: "Client", settings: "Settings", definition: "CampaignDefinition", shop: "ShopSettings",
    as_of: int, most: int | None,
) -> "tuple[Estimate, bool]":  # fmt: skip
    """All customers, or ``most`` of them, and whether it was all."""
    from streams.campaigns.estimate import Estimate
    from streams.campaigns.language.figures.scene import Scene
    from streams.cli.counted import Counted
    from streams.state.population import population

    found = Estimate(definition.audience, definition.currency)
    states = population(redis, settings, shop.shop_id)
    with Counted("customers read") as shown:
        for state in islice(states, most):
            found.add(Scene(state, as_of, shop))
            shown.at(found.customers)
        # Keys lie in Redis by a hash, so the first ones are as good as any.
        is_all = most is None or next(states, None) is None
    return found, is_all


def _show_one(
    redis: "Client", settings: "Settings", definition: "CampaignDefinition", shop: "ShopSettings",
    customer: str, as_of: int, *, as_json: bool,
) -> None:  # fmt: skip
    from streams.campaigns.language.conditions.evaluating import evaluate
    from streams.campaigns.language.conditions.outcome import lines
    from streams.campaigns.language.figures.scene import Scene
    from streams.domain.moments import moment
    from streams.state.reader import read_customer

    held = read_customer(redis, settings, shop.shop_id, customer)
    if held is None:
        raise end("reach", f"customer {customer} is unknown in shop {shop.shop_id}", EXIT_FOUND)
    scene = Scene(held.state, as_of, shop)
    outcome = None
    if definition.audience is not None:
        outcome = evaluate(definition.audience, scene, definition.currency)
    fits = True if outcome is None else outcome.holds
    if as_json:
        import msgspec

        print_json(
            {
                "campaign": definition.campaign, "shop": shop.shop_id, "customer": customer,
                "as_of": moment(as_of), "fits": fits, "audience": msgspec.to_builtins(outcome),
            }
        )  # fmt: skip
        return
    word = {True: "fits", False: "does not fit", None: "is not known to fit"}[fits]
    typer.echo(
        printable(f"{definition.campaign} {word} customer {customer}, as of {moment(as_of)}")
    )
    for line in [] if outcome is None else lines(outcome):
        typer.echo(printable(line))


def _show(
    definition: "CampaignDefinition", shop: "ShopSettings", found: "Estimate", as_of: int, *,
    is_all: bool, as_json: bool,
) -> None:  # fmt: skip
    from rich.table import Table

    from streams.domain.moments import moment

    share = found.fits / found.customers if found.customers else None
    near = None
    if share is not None and not is_all:
        near = _NEAR * (share * (1 - share) / found.customers) ** 0.5
    if as_json:
        parts: list[dict[str, Any]] = [
            {
                "condition": part.asked, "holds": part.holds, "holds_not": part.holds_not,
                "unknown": part.unknown, "alone": part.alone,
            }
            for part in found.parts
        ]  # fmt: skip
        print_json(
            {
                "campaign": definition.campaign, "shop": shop.shop_id, "as_of": moment(as_of),
                "all": is_all, "customers": found.customers, "fits": found.fits,
                "fits_not": found.fits_not, "unknown": found.unknown, "share": share,
                "share_error": near, "conditions": parts,
            }
        )  # fmt: skip
        return
    of = "" if is_all else " that were read, not all there are"
    said = "" if share is None else f" ({share:.2%}{'' if near is None else f' ± {near:.2%}'})"
    typer.echo(
        printable(
            f"{definition.campaign} fits {found.fits:,} of {count(found.customers, 'customer')}{of}{said}, "
            f"as of {moment(as_of)}; of {found.unknown:,} it is not known"
        )
    )
    if not found.parts:
        typer.echo("It has no audience: everybody whom its trigger concerns.")
        return
    table = Table("condition", "holds", "does not", "not known", "only this one keeps out")
    for part in found.parts:
        numbers = (part.holds, part.holds_not, part.unknown, part.alone)
        table.add_row(printable(part.asked), *(f"{number:,}" for number in numbers))
    plain_console().print(table)
