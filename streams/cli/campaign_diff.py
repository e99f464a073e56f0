"""`huitou campaigns diff`: what files, or a version, have otherwise than what is applied."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_words import (
    AsJson,
    OfShop,
    campaign_named,
    count,
    end,
    print_checked,
    print_json,
    read,
    shop_named,
    version_named,
)
from streams.cli.endings import EXIT_FOUND, EXIT_USAGE
from streams.cli.printable import printable

if TYPE_CHECKING:
    from streams.campaigns.applied.difference import Difference
    from streams.campaigns.applied.history import Version
    from streams.campaigns.applied.view import Campaigns


def diff(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="DIR|FILE", help="Files to compare with what is applied."),
    ] = None,
    shop: OfShop = None,
    campaign: Annotated[
        str | None, typer.Option(help="Compare two versions of this campaign instead of files.")
    ] = None,
    before: Annotated[
        str | None,
        typer.Option("--from", metavar="V", help="The version before; else the last but one."),
    ] = None,
    after: Annotated[
        str | None, typer.Option("--to", metavar="V", help="The version after; else the newest.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell field by field what differs: files from what was applied last, or two versions.

    Of a folder also what is applied, not paused, and has no file. Exit code 1: something differs, or a
    file is wrong; 70: Kafka does not answer.

    \b
    huitou campaigns diff campaigns --shop tea
    huitou campaigns diff --campaign cart-rescue --shop tea --from 93d8 --to 4c1a
    """
    from streams.settings import Settings

    if (path is None) == (campaign is None) or (path is not None and (before or after)):
        raise end("diff", "name DIR or FILE, or --campaign with --from and --to", EXIT_USAGE)
    if path is not None:
        files = _definitions(path)
        found = read("diff", Settings())
        of = shop_named("diff", shop, found.campaigns.shops())
        differing = _of_files(files, found.campaigns, of, whole=path.is_dir())
    else:
        assert campaign is not None
        found = read("diff", Settings())
        of, versions = campaign_named("diff", found.campaigns, campaign, shop)
        differing = _of_versions(versions, campaign, before, after)
    if as_json:
        print_json({"shop": of, "campaigns": differing})
    else:
        for each in differing:
            for line in _lines(each):
                typer.echo(printable(line))
        differ = count(sum(each["change"] != "unchanged" for each in differing), "campaign")
        typer.echo(f"{differ} of {len(differing):,} differ")
    if any(each["change"] != "unchanged" for each in differing):
        raise typer.Exit(EXIT_FOUND)


def _definitions(path: Path) -> dict[str, Mapping[str, Any]]:
    from streams.authoring.files import FilesError, campaign_files, check_files
    from streams.campaigns.language.definition.definition import canonical

    try:
        files = check_files(campaign_files(path))
    except FilesError as error:
        raise end("diff", str(error), EXIT_USAGE) from None
    wrong = [file for file in files if file.definition is None]
    for file in wrong:
        print_checked(file, err=True)
    if wrong:
        raise end("diff", f"{count(len(wrong), 'file')} of {len(files):,} are wrong", EXIT_FOUND)
    found = [file.definition for file in files if file.definition is not None]
    return {each.campaign: canonical(each) for each in found}


def _of_files(
    files: dict[str, Mapping[str, Any]], campaigns: "Campaigns", shop: str, *, whole: bool
) -> list[dict[str, Any]]:
    from streams.campaigns.applied.difference import differences

    told = []
    for name, written in files.items():
        versions = campaigns.versions(shop, name)
        if not versions:
            told.append(_difference(name, "not applied", None, []))
            continue
        newest = versions[-1]
        found = differences(newest.written, written)
        told.append(_difference(name, "changed" if found else "unchanged", newest.version, found))
    if whole:
        told += [
            _difference(name, "no file", campaigns.versions(shop, name)[-1].version, [])
            for name in campaigns.campaigns(shop)
            if name not in files and campaigns.pause(shop, name) is None
        ]
    return told


def _of_versions(
    versions: "Sequence[Version]",
    campaign: str,
    before: str | None,
    after: str | None,
) -> list[dict[str, Any]]:
    from streams.campaigns.applied.difference import differences

    if before is None and len(versions) < 2:
        raise end(
            "diff", f"{campaign} has one version only: there is nothing to compare", EXIT_USAGE
        )
    old = versions[-2] if before is None else version_named("diff", versions, before)
    new = version_named("diff", versions, after)
    found = differences(old.written, new.written)
    change = "changed" if found else "unchanged"
    return [{**_difference(campaign, change, old.version, found), "to": new.version}]


def _difference(
    name: str, change: str, version: str | None, found: "list[Difference]"
) -> dict[str, Any]:
    return {
        "campaign": name,
        "change": change,
        "applied": version,
        "differences": [each._asdict() for each in found],
    }


def _lines(each: dict[str, Any]) -> list[str]:
    from streams.campaigns.applied.difference import Difference

    if each["differences"]:
        return [f"{each['campaign']}: {Difference(**one)}" for one in each["differences"]]
    return [f"{each['campaign']}: {each['change']}"] if each["change"] != "unchanged" else []
