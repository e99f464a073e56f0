"""`huitou clock`: who owns the stack's clock, and taking it from a tool that died."""

import json

import typer

from producers.clock import clock_holder, release_clock
from producers.clock_log import Holder
from streams.cli.sources import Json, moment, output, said_errors, stack_cluster

clock_app = typer.Typer(
    help="The clock that the timers go by: the wall's, or that of a replay or simulator.",
    no_args_is_help=True,
    add_completion=False,
)


@clock_app.command()
def status(as_json: Json = False) -> None:
    """Show who holds the clock."""
    with said_errors("clock status"):
        holder = clock_holder(stack_cluster())
    if as_json:
        typer.echo(json.dumps({"clock": "wall"} if holder is None else _described(holder)))
    elif holder is None:
        output.print("The wall clock rules; no tool holds the clock.")
    else:
        output.print(
            f"{holder.clock} holds the clock, from {moment(holder.since)} "
            f"to {moment(holder.until)}; its last tick: {moment(holder.last_tick)}.\n"
            "If that tool is dead, `huitou clock release` hands the clock back to the wall.",
            markup=False,
            soft_wrap=True,
        )


@clock_app.command()
def release(as_json: Json = False) -> None:
    """Hand the clock of a dead tool back to the wall, at the tool's last tick.

    A tool that is still alive stops at its next tick. Exit code 1 when no tool holds the clock.
    """
    with said_errors("clock release"):
        holder = release_clock(stack_cluster())
    if as_json:
        typer.echo(json.dumps({"released": holder.clock, "time": moment(holder.last_tick)}))
    else:
        output.print(
            f"Released {holder.clock} at {moment(holder.last_tick)}; the wall clock rules.",
            markup=False,
            soft_wrap=True,
        )


def _described(holder: Holder) -> dict[str, str | float]:
    return {
        "clock": holder.clock,
        "since": moment(holder.since),
        "until": moment(holder.until),
        "last_tick": moment(holder.last_tick),
        "rate": holder.rate,
    }
