"""`huitou campaigns apply`: files become versions that hold from a time on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import (
    AsJson,
    OfShop,
    count,
    end,
    print_checked,
    print_json,
    read,
    shop_named,
    since_column,
    version_column,
)
from streams.cli.campaign_writing import By, now_cut, who_does, write
from streams.cli.endings import EXIT_FOUND, EXIT_USAGE
from streams.cli.printable import plain_console, printable

if TYPE_CHECKING:
    from schemas.campaign import CampaignChange
    from streams.authoring.files import Checked
    from streams.campaigns.applied.planning import Plan
    from streams.campaigns.applied.view import Campaigns


def apply(
    path: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="A file, or a folder of .yaml files.")
    ],
    shop: OfShop = None,
    effective_from: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From when it holds, with a time zone; else what a file says, else as soon as may be.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be applied, and write nothing.")
    ] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Apply campaigns to a shop. What is applied already is not written again.

    A campaign's first version holds at once where it names no time; a later one must hold from at least
    HUITOU_APPLY_AHEAD seconds (60) from now, so that every worker has read it by then. All files are
    checked before anything is written; a campaign that is paused stays so.

    Exit code 1: a file is wrong or a time too early, and nothing was written; 70: Kafka does not answer.

    \b
    huitou campaigns apply campaigns --shop tea --dry-run
    huitou campaigns apply campaigns --shop tea
    huitou campaigns apply campaigns/11-11.yaml --shop tea --effective-from 2026-11-10T20:00:00+08:00
    """
    from streams.settings import Settings

    files = _checked(path)
    since = None if effective_from is None else _moment(effective_from)
    who, settings, now = who_does("apply", by), Settings(), now_cut()
    before = read("apply", settings)
    to = shop_named("apply", shop, before.campaigns.shops())
    plans = _plans(files, before.campaigns, to, now, settings.apply_ahead, since)
    new = [plan for plan in plans if plan.is_new]
    if not dry_run:
        changes = [_applied(plan, to, who, settings.apply_ahead) for plan in new]
        write("apply", settings, changes, now, before)
    paused = {plan.campaign for plan in plans if before.campaigns.pause(to, plan.campaign)}
    if as_json:
        described = [_described(plan, plan.campaign in paused) for plan in plans]
        written = 0 if dry_run else len(new)
        print_json({"shop": to, "dry_run": dry_run, "written": written, "campaigns": described})
        return
    _print_plans(to, plans, paused)
    would = " would be" if dry_run else ""
    typer.echo(
        f"{count(len(new), 'version')}{would} applied, {len(plans) - len(new):,} as it was"
        + (": --dry-run, nothing was written" if dry_run else "")
    )


def _checked(path: Path) -> list["Checked"]:
    """The files' definitions; ends the command where one is wrong, with all that is."""
    from streams.authoring.files import FilesError, campaign_files, check_files

    try:
        files = check_files(campaign_files(path))
    except FilesError as error:
        raise end("apply", str(error), EXIT_USAGE) from None
    for file in files:
        print_checked(file, err=True)
    wrong = sum(file.definition is None for file in files)
    if wrong:
        raise end(
            "apply",
            f"{count(wrong, 'file')} of {len(files):,} cannot be applied; nothing was written",
            EXIT_FOUND,
        )
    return files


def _plans(
    files: Sequence["Checked"],
    campaigns: "Campaigns",
    shop: str,
    now: datetime,
    apply_ahead: float,
    since: int | None,
) -> list["Plan"]:
    from streams.campaigns.applied.log import RefusedChange, ms_of
    from streams.campaigns.applied.planning import planned

    plans, wrong = [], 0
    for file in files:
        assert file.definition is not None
        try:
            plans.append(planned(file.definition, campaigns, shop, ms_of(now), apply_ahead, since))
        except RefusedChange as error:
            wrong += 1
            typer.echo(printable(f"{file.path}: {error}"), err=True)
    if wrong:
        raise end(
            "apply",
            f"{count(wrong, 'campaign')} of {len(files):,} cannot be applied so; nothing was written. "
            "--effective-from TIME goes before what the files say",
            EXIT_FOUND,
        )
    return plans


def _applied(plan: "Plan", shop: str, by: str, apply_ahead: float) -> "CampaignChange":
    from schemas.campaign import Applied, CampaignChange

    since = plan.effective_from
    what = Applied(
        version=plan.version,
        definition=dict(plan.written),
        effective_from=None if since is None else datetime.fromtimestamp(since / 1000, UTC),
        apply_ahead_s=apply_ahead,
    )
    return CampaignChange(shop_id=shop, campaign=plan.campaign, by=by, change=what)


def _moment(text: str) -> int:
    from streams.campaigns.applied.log import ms_of

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < 1971:
        raise end(
            "apply",
            f"--effective-from {text}: write a time with its time zone, as 2026-11-10T20:00:00+08:00",
            EXIT_USAGE,
        )
    return ms_of(moment)


def _described(plan: "Plan", paused: bool) -> dict[str, Any]:
    from streams.domain.moments import moment

    return {
        "campaign": plan.campaign,
        "change": _word(plan),
        "version": plan.version,
        "replaces": plan.replaces,
        "effective_from": moment(plan.effective_from),
        "paused": paused,
        "differences": [each._asdict() for each in plan.differences],
    }


def _word(plan: "Plan") -> str:
    if not plan.is_new:
        return "unchanged"
    return "new" if plan.replaces is None else "changed"


def _print_plans(shop: str, plans: Sequence["Plan"], paused: set[str]) -> None:
    from rich.table import Table

    from streams.domain.moments import moment

    columns = ("campaign", "", version_column(), since_column("holds from"))
    table = Table(*columns, title=f"shop {shop}", title_justify="left")
    for plan in plans:
        since = moment(plan.effective_from) or "since ever"
        table.add_row(plan.campaign, _word(plan), plan.version, since)
    plain_console().print(table)
    for plan in plans:
        for each in plan.differences:
            typer.echo(printable(f"{plan.campaign}: {each}"))
    for name in sorted(paused):
        typer.echo(f"{name} is paused and stays so: huitou campaigns resume {name} --shop {shop}")
