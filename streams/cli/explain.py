"""`huitou explain ID`: why a customer got what campaigns offer, or did not, at any moment."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import AsJson, print_json
from streams.cli.counted import Counted
from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE, end, said_errors
from streams.cli.options import FromArchive, require_text
from streams.cli.printable import printable

if TYPE_CHECKING:
    from schemas.decision import Check
    from streams.explaining.asking import Explained
    from streams.explaining.looks import Look
    from streams.explaining.standing import Standing

#: Looks of one campaign that people are shown, the newest ones; --json has all that are kept.
SHOWN = 3
_ANSWERS = {
    "issued": "the offer was made",
    "held_out": "held out: the offer would have been made",
    "refused": "earned, and refused",
    "did_not_fit": "did not fit",
    "not_known_to_fit": "not known to fit",
}


def explain(
    customer_id: Annotated[str, typer.Argument(metavar="ID")],
    shop: Annotated[str, typer.Option(help="The shop.")],
    campaign: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this campaign.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="As of then, by events' time; UTC unless it says otherwise."
        ),
    ] = None,
    archive: FromArchive = None,
    as_json: AsJson = False,
) -> None:
    """Say of each campaign of the shop why customer ID got its offer or did not: when its trigger came, what
    was asked and seen at that moment, what the arbiter refused; and where the customer stands with it at TIME
    (now), also where no trigger ever came.

    The customer's events are folded again in the order of the journal, each with the settings and
    campaigns that judged it then, so stored decisions are not needed. What comes later than TIME is left out.

    Exit codes: 0; 1 nothing of the customer was processed until then; 2 wrong use, or no such campaign; 70
    Kafka or Redis does not answer; 78 the log cannot be folded again.

    \b
    huitou explain 100001 --shop tea
    huitou explain 100001 --shop tea --campaign cart-rescue --at 2026-11-11T20:00+08:00
    huitou explain 100001 --shop tea --archive /backup/archive --json
    """  # fmt: skip
    require_text("explain", customer_id=customer_id, shop=shop, campaign=campaign, at=at)
    from streams.explaining.asking import TooManyEvents, ask
    from streams.query.wording import instant
    from streams.settings import Settings

    settings = Settings()
    with said_errors("explain"), Counted("records read") as shown:
        until = None if at is None else instant(at, "UTC")
        try:
            found = ask(settings, shop, customer_id, until, archive, shown.at)
        except TooManyEvents as error:
            raise end("explain", error, EXIT_REFUSED) from None
    names = [each.campaign for each in found.standings]
    if campaign is not None and campaign not in names:
        known = ", ".join(names)
        unknown = f"shop {shop} has no campaign {campaign!r}: there are {known}"
        raise end("explain", printable(unknown), EXIT_USAGE)
    chosen = [each for each in found.standings if campaign in (None, each.campaign)]
    if as_json:
        print_json(_as_dict(found, chosen))
    else:
        _print(found, chosen)
    if found.life.state is None:
        nothing = f"nothing of customer {customer_id} of shop {shop} was processed until then"
        raise end("explain", printable(nothing), EXIT_FOUND)


def _print(found: "Explained", chosen: list["Standing"]) -> None:
    from streams.domain.moments import moment

    typer.echo(
        printable(
            f"customer {found.customer} of shop {found.shop}, as of {moment(found.at)}, "
            f"partition {found.partition}"
        )
    )
    for doubt in found.doubts:
        typer.echo(printable(f"not certain: {doubt}"))
    for standing in chosen:
        typer.echo()
        typer.echo(printable(f"{standing.campaign}: {_state_of(standing)}"))
        looks = list(found.life.looks.get(standing.campaign, ()))
        if not looks:
            typer.echo(f"  its trigger ({standing.trigger}) never came")
        else:
            came = found.life.came[standing.campaign]
            typer.echo(f"  its trigger came {came:,} time{'' if came == 1 else 's'}; last:")
        for look in reversed(looks[-SHOWN:]):
            _print_look(look)
        if not standing.own and standing.version and not standing.paused and found.life.state:
            _print_standing(standing)


def _state_of(standing: "Standing") -> str:
    from streams.domain.moments import moment

    if standing.own:
        return "the processor's own"
    if standing.paused is not None:
        reason = f": {standing.paused.reason}" if standing.paused.reason else ""
        return f"paused since {moment(standing.paused.at)} by {standing.paused.by}{reason}"
    return f"version {standing.version}" if standing.version else "no version judges yet"


def _print_look(look: "Look") -> None:
    from streams.campaigns.language.conditions.outcome import lines
    from streams.domain.moments import moment

    said = _ANSWERS[look.answer]
    if look.answer == "refused":
        said = f"{said} by {look.checks[-1].step}"
    typer.echo(printable(f"  - {moment(look.time)} ({look.cause}): {said}"))
    if look.other_build is not None:
        said = f"processed by build {look.other_build}; this is what this build makes of it"
        typer.echo(printable(f"      {said}"))
    for outcome in look.conditions:
        for line in lines(outcome):
            typer.echo(printable(f"      {line}"))
    for why in look.why:
        typer.echo(printable(f"      yes: {why.rule}: {why.threshold} ({why.value})"))
    _print_checks(look.checks)


def _print_standing(standing: "Standing") -> None:
    from streams.campaigns.language.conditions.outcome import lines

    word = {True: "fits", False: "does not fit", None: "is not known to fit"}[standing.fits]
    typer.echo(f"  as of then the customer {word}, and of an offer the arbiter would see:")
    for line in [] if standing.audience is None else lines(standing.audience):
        typer.echo(printable(f"      {line}"))
    _print_checks(standing.checks)


def _print_checks(checks: "tuple[Check, ...]") -> None:
    for check in checks:
        word = "passed" if check.passed else "refused"
        typer.echo(
            printable(
                f"      {word}: {check.step} (saw {check.value!r} against {check.threshold!r})"
            )
        )


def _as_dict(found: "Explained", chosen: list["Standing"]) -> dict[str, Any]:
    import msgspec

    from streams.domain.moments import moment

    return {
        "shop": found.shop, "customer": found.customer, "partition": found.partition,
        "as_of": moment(found.at), "known": found.life.state is not None, "doubts": found.doubts,
        "campaigns": [
            {
                **msgspec.to_builtins(standing),
                "came": found.life.came.get(standing.campaign, 0),
                "looks": [
                    {**msgspec.to_builtins(look), "time": moment(look.time)}
                    for look in found.life.looks.get(standing.campaign, ())
                ],
            }
            for standing in chosen
        ],
    }  # fmt: skip
