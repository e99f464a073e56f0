"""`huitou campaigns`: campaigns as files: checked, begun from templates, explained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.campaign_apply import apply
from streams.cli.campaign_diff import diff
from streams.cli.campaign_listing import list_applied, show
from streams.cli.campaign_pausing import pause, resume
from streams.cli.campaign_reach import reach
from streams.cli.campaign_words import count, end, print_checked, print_json
from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.printable import plain_console

if TYPE_CHECKING:
    from streams.authoring.files import Checked
    from streams.campaigns.language.figures.figure import Figure

campaigns_app = typer.Typer(
    help="Campaigns: files, and what is applied of them. They are not yet run by the worker.",
    no_args_is_help=True,
    add_completion=False,
)
_NAME = "a campaign's name has 1 to 32 letters, digits, '.', '_' or '-'"
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@campaigns_app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILE...", help="Files, or folders of .yaml files.")
    ],
    as_json: _AsJson = False,
) -> None:
    """Check campaigns, and say everything that is wrong with file, line and column.

    Exit code 1 where one has an error; a warning alone is none. Needs no server.

    \b
    huitou campaigns check campaigns
    huitou campaigns check campaigns/cart-rescue.yaml --json
    """
    from streams.authoring.files import FilesError, campaign_files, check_files

    try:
        # A folder and a file of it may both be named.
        files = {file.resolve(): file for path in paths for file in campaign_files(path)}
        found = check_files(list(files.values()))
    except FilesError as error:
        raise end("check", str(error), EXIT_USAGE) from None
    numbers = {
        severity: sum(each.severity == severity for file in found for each in file.problems)
        for severity in ("error", "warning")
    }
    if as_json:
        print_json(
            {
                "files": [_described(file) for file in found],
                "errors": numbers["error"],
                "warnings": numbers["warning"],
            }
        )
    else:
        for file in found:
            print_checked(file)
        number = ", ".join(count(each, name) for name, each in numbers.items())
        typer.echo(f"{count(len(found), 'campaign')} checked: {number}")
    if numbers["error"]:
        raise typer.Exit(EXIT_FOUND)


def _described(file: "Checked") -> dict[str, Any]:
    return {
        "path": file.path,
        "campaign": None if file.definition is None else file.definition.campaign,
        "version": file.version,
        "problems": [
            {
                "line": each.place.line,
                "column": each.place.column,
                "field": each.path,
                "severity": each.severity,
                "message": each.message,
            }
            for each in file.problems
        ],
    }


@campaigns_app.command()
def new(
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which template; --list shows all.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The campaign's own name.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it, and the schema beside it; else printed.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the templates.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The list as one JSON object.")] = False,
) -> None:
    """Begin a campaign from a template.

    A file that exists is never overwritten (exit code 78). With --out the JSON Schema is written beside
    it, by which editors complete and explain fields.

    \b
    huitou campaigns new --list
    huitou campaigns new --template abandoned-cart --name cart-rescue --out campaigns/cart-rescue.yaml
    """
    from streams.authoring.files import check_text
    from streams.authoring.templates import TemplateError, from_template, templates

    if list_:
        known = templates().values()
        if as_json:
            print_json({each.name: each.meaning for each in known})
            return
        for each in known:
            typer.echo(f"{each.name}: {each.meaning}")
        return
    if template is None:
        raise end("new", "--template NAME is needed; --list shows them", EXIT_USAGE)
    try:
        text = from_template(template, name)
    except TemplateError as error:
        raise end("new", str(error), EXIT_USAGE) from None
    definition = check_text(text.encode(), template).definition
    if definition is None or name not in (None, definition.campaign):
        raise end("new", f"--name {name}: {_NAME}", EXIT_USAGE)
    if out is None:
        typer.echo(text, nl=False)
        return
    _write(out, text)
    typer.echo(f"{out}: change what is yours to decide, then: huitou campaigns check {out}")


def _write(out: Path, text: str) -> None:
    """Write a new campaign's file, and the schema where it is not there already."""
    from streams.authoring.templates import SCHEMA_FILE, schema_text

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
        schema = out.parent / SCHEMA_FILE
        if not schema.exists():
            schema.write_text(schema_text(), encoding="utf-8")
    except FileExistsError:
        raise end("new", f"{out} exists: name another file", EXIT_REFUSED) from None
    except OSError as error:
        raise end("new", f"{error.filename}: {error.strerror}", EXIT_USAGE) from None


@campaigns_app.command()
def figures(as_json: _AsJson = False) -> None:
    """List every figure that a condition may ask for, and what can be counted or put in sequence.

    \b
    huitou campaigns figures
    huitou campaigns figures --json | jq -r '.figures[] | select(.type == "money") | .name'
    """
    from rich.table import Table

    from streams.campaigns.language.conditions.acts import ACTS
    from streams.campaigns.language.figures.catalogue import GROUPS

    if as_json:
        print_json(
            {
                "figures": [_figure(group, each) for group, of in GROUPS.items() for each in of],
                "acts": [
                    {
                        "name": act.name,
                        "meaning": act.meaning,
                        "of": act.of or None,
                        "counted": not act.last_only,
                    }
                    for act in ACTS.values()
                ],
            }
        )
        return
    console = plain_console()
    for group, of in GROUPS.items():
        table = Table("figure", "type", "meaning", "as", title=group, title_justify="left")
        for each in of:
            table.add_row(each.name, each.type, _meaning(each), f"{each.name}: {each.example}")
        console.print(table)
    table = Table("act", "of", "meaning", title="Counted, or in sequence", title_justify="left")
    for act in ACTS.values():
        only = " Only the last time of each is kept, so not counted." if act.last_only else ""
        table.add_row(act.name, act.of or "-", f"{act.meaning}{only}")
    console.print(table)


def _figure(group: str, figure: "Figure") -> dict[str, Any]:
    return {
        "name": figure.name,
        "group": group,
        "type": figure.type,
        "unit": figure.unit or None,
        "meaning": figure.meaning,
        "choices": list(figure.choices) or None,
        "least": figure.bounds and figure.bounds[0],
        "most": figure.bounds and figure.bounds[1],
        "example": f"{figure.name}: {figure.example}",
        "missing": figure.missing or None,
    }


def _meaning(figure: "Figure") -> str:
    return (
        f"{figure.meaning} Not known yet: {figure.missing}." if figure.missing else figure.meaning
    )


@campaigns_app.command()
def schema() -> None:
    """Print the JSON Schema (draft 7) of a campaign, for editors.

    \b
    huitou campaigns schema > campaigns/campaign.schema.json
    """
    from streams.authoring.templates import schema_text

    typer.echo(schema_text(), nl=False)


for each in (apply, list_applied, show, diff, pause, resume, reach):
    campaigns_app.command(each.__name__.removesuffix("_applied"))(each)
