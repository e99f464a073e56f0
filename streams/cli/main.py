"""The console command `huitou`.

To add a command, add a line to ``COMMANDS``: its name, "module:attribute" of a Typer app (a group)
or of a function (typer reads its signature), its help; the module is imported when it is called.
"""

import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from typing import Annotated, NamedTuple

import typer
from typer.main import get_command, get_group

from streams.local.errors import LocalStackError


class Command(NamedTuple):
    target: str
    help: str
    panel: str


_RUN, _SEND, _READ, _OPERATE = "Run", "Send events", "Read", "Operate"

COMMANDS = {
    "demo": Command("streams.cli.demo:demo", "Everything at once, with a live view.", _RUN),
    "up": Command("streams.cli.up:up", "Stack, topics and workers together.", _RUN),
    "worker": Command("streams.cli.worker:worker", "One worker in the foreground.", _RUN),
    "sink": Command("streams.cli.sink:sink", "Orders as rows, in a store to ask.", _RUN),
    "webhook": Command("streams.cli.webhook:webhook", "Triggers posted to a URL.", _RUN),
    "stack": Command("streams.cli.stack:stack_app", "A local Kafka and Redis.", _RUN),
    "publish": Command("streams.cli.publish:publish", "CloudEvents JSON lines to Kafka.", _SEND),
    "replay": Command("streams.cli.replay:replay_app", "A data set, by its own time.", _SEND),
    "simulate": Command("streams.cli.simulate:simulate", "Customers who never were.", _SEND),
    "customer": Command("streams.cli.customer:customer", "A customer's live state.", _READ),
    "event": Command("streams.cli.event:event", "What became of one event.", _READ),
    "triggers": Command("streams.cli.triggers:triggers", "The coupons that were issued.", _READ),
    "orders": Command("streams.cli.orders:orders_app", "Finds orders, shows one.", _READ),
    "decisions": Command("streams.cli.decisions:decisions", "Each yes and no, and why.", _READ),
    "explain": Command("streams.cli.explain:explain", "Why an offer came, or did not.", _READ),
    "report": Command("streams.cli.report:report", "A shop's figures, explained.", _READ),
    "goals": Command("streams.cli.goals:goals_app", "What figures are to reach.", _READ),
    "segments": Command("streams.cli.segments:segments_app", "Customers by their scores.", _READ),
    "verify": Command("streams.cli.verify:verify", "Folds the log again and compares.", _READ),
    "campaigns": Command(
        "streams.cli.campaigns:campaigns_app", "Campaigns: files, versions.", _OPERATE
    ),
    "backtest": Command(
        "streams.cli.backtest:backtest", "Campaigns, by recorded events.", _OPERATE
    ),
    "draw": Command("streams.cli.draw:draw_app", "Prizes that can be recomputed.", _READ),
    "doctor": Command("streams.cli.doctor:doctor", "What is wrong, and what to do.", _OPERATE),
    "topics": Command("streams.cli.topics:topics_app", "The topics of the contract.", _OPERATE),
    "settings": Command("streams.cli.settings:settings_app", "Shops' definitions.", _OPERATE),
    "clock": Command("streams.cli.clock:clock_app", "Who owns the clock.", _OPERATE),
    "rebuild": Command("streams.cli.repair:rebuild", "Redis anew, from the log.", _OPERATE),
    "repartition": Command(
        "streams.cli.repartition:repartition", "Another partition count.", _OPERATE
    ),
    "archive": Command("streams.cli.archive:archive", "The topics as Parquet files.", _OPERATE),
    "snapshot": Command("streams.cli.snapshot:snapshot", "The states as files.", _OPERATE),
    "group": Command("streams.cli.repair:group_app", "The consumer group.", _OPERATE),
    "size": Command("streams.cli.size:size", "How large a stack has to be.", _OPERATE),
    "skip": Command("streams.cli.skip:skip", "Leaves out what a fold fails at.", _OPERATE),
    "resume": Command("streams.cli.resume:resume", "Goes on with a paused topic.", _OPERATE),
}

app = typer.Typer(
    name="huitou",
    help="huitou (回头客, the returning customer): shop events in, live customer state in Redis, "
    "coupons out, exactly once.",
    no_args_is_help=True,
    add_completion=False,
)


def load(name: str) -> Callable[..., object]:
    """The command ``name``, ready to be called with its arguments; imports its module.

    Raises typer.Exit(2), with a sentence on stderr, where this build has no such module.
    """
    module_name, _, attribute = COMMANDS[name].target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        typer.echo(f"`huitou {name}` is not part of this build: no module {module_name}", err=True)
        raise typer.Exit(2) from None
    found = getattr(module, attribute)
    if isinstance(found, typer.Typer):
        # A group even where it has one command only: `huitou replay taobao` names its format.
        return get_group(found)
    single = typer.Typer(add_completion=False)
    single.command(name=name)(found)
    return get_command(single)


def run(name: str, arguments: list[str]) -> None:
    """Runs the command ``name``; an error that says what to do is printed without its traceback.

    What is logged on the way goes to standard error: standard output is for the answer.
    """
    from streams.operations.logging import configure

    configure("warning")
    try:
        load(name)(arguments, prog_name=f"huitou {name}")
    except LocalStackError as error:
        typer.echo(f"huitou {name}: {error}", err=True)
        raise typer.Exit(1) from None


def _register(name: str, command: Command) -> None:
    """Puts a stand-in into the app: it hands all its arguments, --help too, to the real command."""

    def stand_in(context: typer.Context) -> None:
        run(name, context.args)

    app.command(
        name,
        help=command.help,
        rich_help_panel=command.panel,
        add_help_option=False,
        context_settings={
            "ignore_unknown_options": True,
            "allow_extra_args": True,
            "allow_interspersed_args": False,
        },
    )(stand_in)


for _name, _command in COMMANDS.items():
    _register(_name, _command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"huitou {importlib.metadata.version('huitou')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    """Options that come before the command."""


if __name__ == "__main__":
    # As a module and as a script alike, usage lines say huitou.
    app(prog_name="huitou" if sys.argv[0].endswith("main.py") else None)
