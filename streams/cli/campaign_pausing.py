"""`huitou campaigns pause` and `resume`: what ends a campaign at once, and what has it go on."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.campaign_words import AsJson, OfShop, campaign_named, end, print_json, read
from streams.cli.campaign_writing import By, now_cut, who_does, write
from streams.cli.endings import EXIT_USAGE
from streams.cli.printable import printable

if TYPE_CHECKING:
    from schemas.campaign import Change


def pause(
    campaign: Annotated[str, typer.Argument(help="The campaign's name.")],
    shop: OfShop = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, for whoever lists campaigns; at most 2,000 characters.")
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Pause a campaign: it does nothing from now on, whatever the time of an event, until it is resumed.

    Exit code 2: no such campaign; 70: Kafka does not answer, and it may go on: run it again.

    \b
    huitou campaigns pause cart-rescue --shop tea --reason "coupons cost more than planned"
    """
    from schemas.campaign import Withdrawn
    from schemas.envelope import TEXT_LENGTH

    if reason is not None and len(reason) > TEXT_LENGTH:
        raise end("pause", f"--reason has at most {TEXT_LENGTH:,} characters", EXIT_USAGE)
    _stand("pause", campaign, shop, by, Withdrawn(reason=reason), as_json)


def resume(
    campaign: Annotated[str, typer.Argument(help="The campaign's name.")],
    shop: OfShop = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Resume a campaign that was paused: its versions hold again, each from its time on.

    Exit code 2: no such campaign; 70: Kafka does not answer.

    \b
    huitou campaigns resume cart-rescue --shop tea
    """
    from schemas.campaign import Resumed

    _stand("resume", campaign, shop, by, Resumed(), as_json)


def _stand(
    command: str, campaign: str, shop: str | None, by: str | None, change: "Change", as_json: bool
) -> None:
    from schemas.campaign import CampaignChange
    from streams.campaigns.applied.log import ms_of
    from streams.domain.moments import moment
    from streams.settings import Settings

    who, settings, now = who_does(command, by), Settings(), now_cut()
    before = read(command, settings)
    of, _ = campaign_named(command, before.campaigns, campaign, shop)
    standing, pausing = before.campaigns.pause(of, campaign), command == "pause"
    changes = (standing is not None) != pausing
    if changes:
        said = CampaignChange(shop_id=of, campaign=campaign, by=who, change=change)
        write(command, settings, [said], now, before)
    if as_json:
        print_json({"shop": of, "campaign": campaign, "paused": pausing, "written": int(changes)})
        return
    state = "paused" if pausing else "not paused"
    if changes:
        typer.echo(printable(f"{of}: {campaign} is {state} from {moment(ms_of(now))} on"))
    else:
        since = f" since {moment(standing.at)} by {standing.by}" if standing else ""
        typer.echo(printable(f"{of}: {campaign} was {state}{since} already: nothing was written"))
