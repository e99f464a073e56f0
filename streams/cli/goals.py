"""`huitou goals`: what a shop's figures are to reach, shown beside them by `huitou report`."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_USAGE
from streams.cli.options import require_text
from streams.cli.printable import plain_console, printable
from streams.cli.shops import Shops
from streams.cli.sink import Store, opened

if TYPE_CHECKING:
    from streams.query.goals import Goal

goals_app = typer.Typer(
    help="What a shop's figures are to reach; `huitou report` shows them beside the figures.",
    no_args_is_help=True,
    add_completion=False,
)

_CURRENCY = re.compile("[A-Z]{3}")
_SHOP = re.compile(r"[A-Za-z0-9._-]{1,64}")

Shop = Annotated[str, typer.Option(help="The shop.")]
Figure = Annotated[
    str, typer.Option(metavar="NAME", help="As `huitou report NAME --explain` lists them.")
]
Period = Annotated[
    str,
    typer.Option(
        help="2026, 2026-11, 2026-W46, 2026-11-11 or 2026-11-01..2026-11-11, on the shop's clock."
    ),
]
Report = Annotated[
    str | None,
    typer.Option(help="Whose figure of this name; default: the first report that has one."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON value; money in minor units.")]


@goals_app.command("set")
def set_(
    shop: Shop,
    figure: Figure,
    period: Period,
    value: Annotated[
        str,
        typer.Option(
            help='In the figure\'s unit: money as 100000.00, a share as "12.5 %", a time as 36h.'
        ),
    ],
    report: Report = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Of money, in place of the shop's own, as CNY."),
    ] = None,
    as_json: Json = False,
    store: Store = None,
) -> None:
    """Set a goal, in place of the one for the same figure and days. The same again changes nothing.

    Exit codes: 0; 2 no such figure, period or value; 70 the store or Kafka does not answer; 78 refused.

    \b
    huitou goals set --shop tea --figure paid_amount --period 2026-11 --value "100000.00"
    huitou goals set --shop tea --figure new_buyers --period 2026-W46 --value 250
    huitou goals set --shop tea --figure paid_amount --period 2026-11-01..2026-11-11 --value 60000
    """  # fmt: skip
    require_text("goals set", shop=shop, figure=figure, period=period, value=value)
    with opened(store, "goals set") as database, _said("goals set"):
        from streams.query.goals import Goal, set_goal
        from streams.query.migrating import require_current
        from streams.reports.goals import days_of, figure_named, value_of
        from streams.settings import Settings

        if not _SHOP.fullmatch(shop):
            raise ValueError(f"no shop {shop!r}: letters, digits, dot, dash and underscore")
        found = figure_named(figure, report)
        first, last = days_of(period)
        code = None
        if found.figure.unit in ("money", "money_average"):
            code = _currency_of(Shops(Settings(), "goals set"), shop, currency)
        elif currency is not None:
            raise ValueError(f"{figure} is no amount of money and has no currency")
        wanted = value_of(value, found.figure, code)
        goal = Goal(shop, found.report.name, figure, first, last, wanted, code)
        require_current(database)
        with database.writing() as connection:
            changed = set_goal(connection, goal)
    if as_json:
        typer.echo(json.dumps({**_as_dict(goal), "changed": changed}))
    else:
        typer.echo(f"{_sentence(goal)}{'' if changed else ' (it was so already)'}")


@goals_app.command("list")
def list_(
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    as_json: Json = False,
    store: Store = None,
) -> None:
    """List the goals.

    \b
    huitou goals list
    huitou goals list --shop tea --json
    """  # fmt: skip
    require_text("goals list", shop=shop)
    with opened(store, "goals list") as database:
        from streams.query.goals import goals_of
        from streams.query.migrating import require_current

        require_current(database)
        with database.reading() as connection:
            found = goals_of(connection, shop)
    if as_json:
        typer.echo(json.dumps([_as_dict(goal) for goal in found]))
        return
    if not found:
        typer.echo("No goals.")
        return
    table = Table("shop", "report", "figure", "from", "to", "goal")
    for goal in found:
        cells = (goal.shop, goal.report, goal.figure, str(goal.first), str(goal.last))
        table.add_row(*map(printable, cells), _amount(goal))
    plain_console().print(table)


@goals_app.command()
def remove(
    shop: Shop,
    figure: Figure,
    period: Period,
    report: Report = None,
    as_json: Json = False,
    store: Store = None,
) -> None:
    """Remove a goal. Exit code 1 where there is none.

    \b
    huitou goals remove --shop tea --figure paid_amount --period 2026-11
    """  # fmt: skip
    require_text("goals remove", shop=shop, figure=figure, period=period)
    with opened(store, "goals remove") as database, _said("goals remove"):
        from streams.query.goals import goals_of, remove_goals
        from streams.query.migrating import require_current
        from streams.reports.goals import days_of

        days = days_of(period)
        require_current(database)
        with database.writing() as connection:
            # Not by what this build knows as a figure: it may be that of another build that is to go.
            found = [
                goal
                for goal in goals_of(connection, shop)
                if goal.figure == figure
                and (goal.first, goal.last) == days
                and report in (None, goal.report)
            ]
            remove_goals(connection, found)
    if as_json:
        typer.echo(json.dumps([_as_dict(goal) for goal in found]))
    for goal in found if not as_json else ():
        typer.echo(f"removed: {_sentence(goal)}")
    if not found:
        typer.echo("huitou goals remove: there is no such goal; `huitou goals list`", err=True)
        raise typer.Exit(EXIT_FOUND)


@contextmanager
def _said(command: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        typer.echo(f"huitou {command}: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None


def _currency_of(shops: Shops, shop: str, given: str | None) -> str:
    """The currency of a goal; ends where Kafka must say and does not."""
    if given is not None:
        if not _CURRENCY.fullmatch(given):
            raise ValueError(f"no currency {given!r}: write its three letters, as CNY")
        return given
    found = shops.currency(shop)
    if found is None:
        typer.echo(
            "huitou goals set: the shop's currency is not known: start Kafka, or say --currency",
            err=True,
        )
        raise typer.Exit(EXIT_DOUBT)
    return found


def _as_dict(goal: "Goal") -> dict[str, Any]:
    from streams.cli.report_pages import plain_number

    said = {**goal._asdict(), "first": str(goal.first), "last": str(goal.last)}
    said["from"], said["to"] = said.pop("first"), said.pop("last")
    return {**said, "value": plain_number(goal.value)}


def _sentence(goal: "Goal") -> str:
    return (
        f"{printable(goal.shop)}: {printable(goal.figure)} of {printable(goal.report)} is to reach "
        f"{_amount(goal)} from {goal.first} to {goal.last}"
    )


def _amount(goal: "Goal") -> str:
    from streams.cli.report_pages import plain_number, shown
    from streams.reports.goals import figure_named
    from streams.reports.model import Value

    number = plain_number(goal.value)
    try:
        figure = figure_named(goal.figure, goal.report).figure
    except ValueError:
        # A figure of another build, whose unit is not known here.
        return f"{number:,}"
    return shown(figure, Value(number, currency=goal.currency))
