"""`huitou backtest DIR`: what campaigns would have done, by recorded events, before they are launched."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import AsJson, print_checked, print_json
from streams.cli.counted import Counted
from streams.cli.endings import EXIT_FOUND, EXIT_USAGE, end, said_errors
from streams.cli.options import FromArchive, require_text
from streams.cli.printable import plain_console, printable

if TYPE_CHECKING:
    from streams.backtest.outcome import Outcomes
    from streams.backtest.running import Tested
    from streams.campaigns.language.definition.definition import CampaignDefinition
    from streams.definitions_reader import AllDefinitions
    from streams.settings import Settings

#: Without the stack's own word.
_LATENESS_MS = 5_000
_ASSUMED = (
    "budgets and numbers of coupons suffice: what would have been spent at most is shown",
    "visitors who became customers stay apart, and orders and likes are not judged",
    "the processor's own campaigns ran beside these, but for those of the same name",
    "these versions were in force all the time, whatever their effective_from",
)


def backtest(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Campaigns: a folder, or a file.")],
    shop: Annotated[str, typer.Option(help="The shop whose events are taken.")],
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Decisions count from then on, by events' time; earlier events are folded all the same.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Until then, included.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Other campaigns, to show the difference to.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every decision, a JSON object a line."),
    ] = None,
    order: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="time: by events' time; journal: as workers processed them, which gives what they decided.",
        ),
    ] = "time",
    processes: Annotated[int, typer.Option(min=1, max=64, help="Partitions at a time.")] = 1,
    archive: FromArchive = None,
    as_json: AsJson = False,
) -> None:
    """Fold a shop's recorded events again and let the campaigns of DIR judge them: what each would have
    issued, held out and refused, what it would have cost at most, and who would have got several.

    Nothing is written to the stack. Two runs over the same log give the same decisions, byte for byte, and
    the same digest, however many processes there are. Timers fire up to --to, else up to the newest event.

    Exit codes: 0; 1 a campaign is wrong; 2 wrong use; 70 Kafka does not answer; 78 the log cannot be read.

    \b
    huitou backtest campaigns --shop tea
    huitou backtest campaigns --shop tea --from 2026-10-01 --to 2026-11-01 --processes 4
    huitou backtest campaigns --shop tea --order journal
    huitou backtest campaigns --shop tea --against campaigns.before --json
    huitou backtest campaigns/cart-rescue.yaml --shop tea --out decisions.jsonl --archive /backup/archive
    """  # fmt: skip
    require_text("backtest", shop=shop, to=until, **{"from": since})
    if order not in ("time", "journal"):
        raise end("backtest", f"--order {printable(order)}: there are time and journal", EXIT_USAGE)
    from schemas.settings import STACK
    from streams.backtest.newest import newest_event
    from streams.backtest.running import Plan, run
    from streams.query.wording import instant
    from streams.settings import Settings

    campaigns = _read(folder)
    others = None if against is None else _read(against)
    settings = Settings()
    with said_errors("backtest"), Counted("partitions done") as shown:
        since_ms = 0 if since is None else instant(since, "UTC")
        until_ms = None if until is None else instant(until, "UTC")
        definitions = _definitions(settings)
        if until_ms is None:
            until_ms = newest_event(settings, archive)
        lateness = definitions.lateness_ms
        plan = Plan(
            shop, campaigns, since_ms, until_ms, _LATENESS_MS if lateness is None else lateness,
            (*definitions.versions(STACK), *definitions.versions(shop)), order == "journal", archive,
        )  # fmt: skip
        tested = run(settings, plan, processes, out, shown.at)
        other = None
        if others is not None:
            from dataclasses import replace

            other = run(settings, replace(plan, campaigns=others), processes, None, shown.at)
    asked = {one.campaign: one for one in campaigns}
    if as_json:
        print_json(_as_dict(tested, other, plan.since, plan.until, asked))
        return
    _print(tested, other, plan.since, plan.until, asked)


def _read(folder: Path) -> "tuple[CampaignDefinition, ...]":
    from streams.authoring.files import FilesError, campaign_files, check_files

    try:
        checked = check_files(campaign_files(folder))
    except FilesError as error:
        raise end("backtest", printable(str(error)), EXIT_USAGE) from None
    wrong = [each for each in checked if each.definition is None]
    for each in wrong:
        print_checked(each, err=True)
    if wrong:
        raise end("backtest", f"{len(wrong)} of {len(checked)} files are wrong", EXIT_FOUND)
    return tuple(each.definition for each in checked if each.definition is not None)


def _definitions(settings: "Settings") -> "AllDefinitions":
    from streams.definitions_reader import DefinitionsReader

    reader = DefinitionsReader(settings, patient=False, campaigns=False)
    try:
        reader.start()
        return reader.read_to_end()
    finally:
        reader.stop()


def _print(
    tested: "Tested", other: "Tested | None", since: int, until: int,
    asked: "dict[str, CampaignDefinition]",
) -> None:  # fmt: skip
    from rich.table import Table

    from streams.domain.moments import moment

    found, console = tested.outcomes, plain_console()
    began = "the beginning" if not since else str(moment(since))
    console.print(
        f"{found.events:,} events and {found.timers:,} timers, decisions from {began} to {moment(until)}; "
        f"{found.repeated:,} repeats, {found.dead:,} records that cannot be read",
        soft_wrap=True,
    )
    names = sorted({*found.campaigns, *asked})
    table = Table(
        "campaign", "offers", "customers", "held out", "refused", "cost at most", "busiest day"
    )
    for name in names:
        one = _of(found, name, asked)
        refused = ", ".join(f"{step} {number:,}" for step, number in one["refused"].items())
        cost = "" if one["most_cost"] is None else one["most_cost"]
        day = one["busiest_day"]
        busiest = "" if day is None else f"{day['day']}: {day['offers']:,}"
        table.add_row(
            printable(name), f"{one['offers']:,}", f"{one['customers']:,}", f"{one['held_out']:,}",
            refused or "0", cost, busiest,
        )  # fmt: skip
    console.print(table)
    for (first, second), number in sorted(found.both.items()):
        console.print(f"  {number:,} customers would have got both {first} and {second}")
    if other is not None:
        console.print("against the other campaigns:")
        for name, change in _changes(tested, other).items():
            console.print(
                f"  {printable(name)}: offers {change['offers']:+,}, customers {change['customers']:+,}"
            )
    for said in _ASSUMED:
        console.print(f"assumed: {said}", soft_wrap=True)
    if found.untold:
        console.print(f"assumed: {found.untold:,} facts for other customers had no effect")
    console.print(f"digest {tested.digest}", soft_wrap=True)
    rate = found.events / tested.cpu_s if tested.cpu_s else 0
    typer.echo(f"{tested.seconds:.1f} s, {rate:,.0f} events a second of one core", err=True)


def _of(found: "Outcomes", name: str, asked: "dict[str, CampaignDefinition]") -> dict[str, Any]:
    from streams.campaigns.language.definition.offers import coupons_of, most_cost
    from streams.campaigns.language.quantities.money import write_money

    outcome, definition = found.of(name), asked.get(name)
    cost = None
    if definition is not None:
        costs = [most_cost(each) for each in coupons_of(definition.offer).values()]
        known = [each for each in costs if each is not None]
        if known and len(known) == len(costs):
            cost = write_money(max(known) * outcome.issued["coupon_issued"], definition.currency)
    busiest = max(outcome.days.items(), key=lambda each: (each[1], each[0]), default=None)
    return {
        "declared": definition is not None,
        "offers": outcome.offers, "issued": dict(sorted(outcome.issued.items())),
        "customers": outcome.customers, "held_out": outcome.held_out,
        "refused": dict(sorted(outcome.refused.items())), "most_cost": cost,
        "busiest_day": None if busiest is None else {"day": busiest[0], "offers": busiest[1]},
        "days": dict(sorted(outcome.days.items())),
    }  # fmt: skip


def _changes(tested: "Tested", other: "Tested") -> dict[str, dict[str, int]]:
    names = sorted({*tested.outcomes.campaigns, *other.outcomes.campaigns})
    changes = {}
    for name in names:
        one, two = tested.outcomes.of(name), other.outcomes.of(name)
        changes[name] = {
            "offers": one.offers - two.offers,
            "customers": one.customers - two.customers,
            "held_out": one.held_out - two.held_out,
        }
    return changes


def _as_dict(
    tested: "Tested", other: "Tested | None", since: int, until: int,
    asked: "dict[str, CampaignDefinition]",
) -> dict[str, Any]:  # fmt: skip
    from streams.domain.moments import moment

    found = tested.outcomes
    names = sorted({*found.campaigns, *asked})
    return {
        "from": None if not since else moment(since), "to": moment(until), "events": found.events,
        "timers": found.timers, "repeated": found.repeated, "dead": found.dead,
        "untold": found.untold, "customers": found.customers, "digest": tested.digest,
        "campaigns": {name: _of(found, name, asked) for name in names},
        "both": [
            {"campaigns": list(pair), "customers": number}
            for pair, number in sorted(found.both.items())
        ],
        "against": None if other is None else _changes(tested, other),
        "assumed": list(_ASSUMED),
        "seconds": round(tested.seconds, 3), "cpu_seconds": round(tested.cpu_s, 3),
    }  # fmt: skip
