"""How the commands of `huitou campaigns` write to shop.campaigns, and see that it counts."""

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.campaign_words import count, end, read
from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_USAGE
from streams.cli.printable import printable

if TYPE_CHECKING:
    from schemas.campaign import CampaignChange
    from streams.campaign_topic import AsRead
    from streams.settings import Settings

By = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who does it, at most 64 characters; else who is logged in."),
]


def write(
    command: str,
    settings: "Settings",
    changes: Sequence["CampaignChange"],
    now: datetime,
    before: "AsRead",
) -> None:
    """Write the changes and read them back; ends the command where one does not count."""
    from streams.campaign_topic import CampaignTopicError, write_changes
    from streams.campaigns.applied.log import RefusedChange

    if not changes:
        return
    try:
        write_changes(settings, changes, now)
    except RefusedChange as error:
        raise end(command, f"{error}; nothing was written", EXIT_FOUND) from None
    except CampaignTopicError as error:
        raise end(command, str(error), EXIT_DOUBT) from None
    after = read(command, settings)
    refused = [each for each in after.refused if each.offset >= before.campaigns.offset]
    for each in refused:
        typer.echo(printable(f"offset {each.offset} does not count: {each.reason}"), err=True)
    if refused:
        raise end(
            command,
            f"{count(len(refused), 'change')} written just now did not count: it took too long to arrive, or "
            "somebody applied something at the same time. Look at `huitou campaigns list` and run it again",
            EXIT_FOUND,
        )


def now_cut() -> datetime:
    """Cut to the millisecond, which is what records keep."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def who_does(command: str, by: str | None) -> str:
    """``by``, or who is logged in; ends the command where that is nobody, or too long a name."""
    from schemas.envelope import ID_LENGTH

    if by is None:
        try:
            by = getpass.getuser()
        except (KeyError, OSError):
            raise end(command, "nobody is logged in: say who by --by NAME", EXIT_USAGE) from None
    if not 1 <= len(by) <= ID_LENGTH:
        raise end(command, f"--by has 1 to {ID_LENGTH} characters", EXIT_USAGE)
    return by
