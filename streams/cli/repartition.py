"""`huitou repartition`: another partition count, by a new generation of topics."""

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from streams.settings import Settings

if TYPE_CHECKING:
    from streams.engine.generation import Successor
    from streams.repair.repartition import Repartition, Repartitioned

#: Exit codes: records wait, wrong use, the outcome is in doubt, an operator must act first.
WAITING, WRONG_USE, DOUBT, REFUSED = 1, 2, 70, 78
#: Lines of progress within a step: one in so many seconds.
PROGRESS_SECONDS = 5.0


def repartition(
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of the new generation; known once it took over.")
    ] = None,
    generation: Annotated[
        int | None, typer.Option(min=2, help="Its number. Default: the present one and 1.")
    ] = None,
    forward: Annotated[
        bool, typer.Option("--forward", help="Forward what waits in the old topics.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then stay, and forward whatever comes.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, change nothing.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Let go of it, before the new one took over.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop the old generation's keys in Redis.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Give the stack another partition count: a new generation of topics that goes on where this
    one ended.

    Stop the producers, let the workers process what is left, stop the workers; then run this under the
    settings of the present generation, and start workers and producers with the settings that it prints.
    No state, timer or trigger is lost or doubled. Cut short at any moment, it is run again with the same
    arguments. Topics are never deleted. Exit codes: 0 done, 1 done but records wait in the old topics, 2
    wrong use, 70 in doubt (run it again), 78 refused (it says what to do first).

    Examples:

        huitou repartition --partitions 64 --dry-run    # what it would do, or why it would refuse

        huitou repartition --partitions 64

        huitou repartition --forward     # what was still sent to the old topics goes to the new ones

        huitou repartition --follow      # ... and whatever comes, until Ctrl-C

        huitou repartition --finish      # drop the old generation's keys in Redis
    """
    from streams.repair.repartition import Repartition

    settings = Settings()
    if sum((dry_run, cancel, finish, forward or follow)) > 1 and not (dry_run and forward):
        _wrong("--dry-run, --cancel, --finish and --forward or --follow exclude each other")
    with _said_errors():
        successor = _successor(settings, partitions, generation)
        if not (yes or as_json or dry_run or cancel) and sys.stdin.isatty():
            what = "Drop this generation in Redis" if finish else "Close this generation"
            typer.confirm(f"{what}? Its successor: {successor}", abort=True)
        with Repartition(settings, successor, _Shown().step) as command:
            if cancel:
                _print_cancelled(command.cancel(), as_json)
            elif finish:
                _print_finished(command, as_json)
            elif dry_run:
                _print(command.look(forward=forward), as_json, dry_run=True)
            else:
                result = command.run(forward=forward or follow)
                _print(result, as_json, dry_run=False)
                if follow:
                    _follow(command)
                elif result.waiting:
                    raise typer.Exit(WAITING)


def _successor(settings: Settings, partitions: int | None, number: int | None) -> "Successor":
    """The generation that took over already, or the one that is asked for."""
    from streams.repair.generation import number_of, successor_of
    from streams.repair.repartition_switch import successor_in_place

    present = number_of(settings)
    if number is not None and number <= present:
        _wrong(f"--generation {number}: the present one is {present}, and numbers rise")
    if partitions == settings.partitions:
        _wrong(f"--partitions {partitions}: that is what the present generation has")
    in_place = successor_in_place(settings)
    if in_place is not None and partitions in (None, in_place.partitions) and number is None:
        return in_place
    if partitions is None:
        _wrong("--partitions is missing: no generation has taken this one's place yet")
    return successor_of(settings, number or present + 1, partitions)


def _follow(command: "Repartition") -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    typer.echo("forwarding whatever comes to the old topics; Ctrl-C ends it", err=True)
    typer.echo(f"{command.follow(stop):,} records forwarded", err=True)


def _print(result: "Repartitioned", as_json: bool, *, dry_run: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "switched": result.switched,
                    "successor": result.successor.environment(),
                    "states": result.moved.states,
                    "timers": result.moved.timers,
                    "digest": f"{result.moved.digest:032x}",
                    "partitions": {n: asdict(tally) for n, tally in result.partitions.items()},
                    "forwarded": result.forwarded,
                    "waiting": result.waiting,
                }
            )
        )
        return
    if result.moved.states or dry_run:
        typer.echo(f"{'to move' if not result.switched else 'moved'}: {result.moved}")
    for number, tally in result.partitions.items():
        typer.echo(f"partition {number}: {tally.states:,} states, {tally.timers:,} timers")
    if result.forwarded:
        typer.echo(f"{result.forwarded:,} records forwarded to the new topics")
    if result.waiting:
        typer.echo(f"{result.waiting:,} records wait in the old topics; --forward takes them over")
    typer.echo("Start workers and producers with:" if result.switched else "It would be:")
    for name, value in result.successor.environment().items():
        typer.echo(f"    {name}={value}")


def _print_cancelled(dropped: int, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"cancelled": True, "dropped_keys": dropped}))
        return
    typer.echo(
        f"Let go of: workers of this generation may start again. {dropped:,} keys of the new one "
        "dropped; its topics hold nothing of use and may be deleted."
    )


def _print_finished(command: "Repartition", as_json: bool) -> None:
    done = command.finish()
    if as_json:
        typer.echo(json.dumps({"dropped_keys": done.dropped_keys, "topics": done.topics}))
        return
    typer.echo(f"{done.dropped_keys:,} keys dropped; the fences stay, so no old worker starts.")
    typer.echo(
        "Nothing of huitou reads these topics any more. Delete them once marketing has read the "
        "triggers, and nobody wants to fold or verify the old events again:"
    )
    for name in done.topics:
        typer.echo(f"    {name}")


class _Shown:
    """Progress on standard error: each step once, and a line now and then within it."""

    def __init__(self) -> None:
        self._step = ""
        self._said = 0.0

    def step(self, step: str, done: int, of: int) -> None:
        now = time.monotonic()
        if step == self._step and now - self._said < PROGRESS_SECONDS:
            return
        first = step != self._step
        self._step, self._said = step, now
        counted = f" {done:,} of {of:,}" if of else f" {done:,}"
        typer.echo(f"{step}{'' if first and not done else counted}", err=True)


def _wrong(message: str) -> NoReturn:
    typer.echo(f"huitou repartition: {message}", err=True)
    raise typer.Exit(WRONG_USE)


@contextmanager
def _said_errors() -> Iterator[None]:
    """What can go wrong becomes one sentence and an exit code that says whether to try again."""
    from confluent_kafka import KafkaException
    from redis.exceptions import RedisError

    from streams.definitions import DefinitionsError
    from streams.engine.log_errors import LogError
    from streams.engine.refusal import RecoveryRefused
    from streams.repair.refused import RepairRefused
    from streams.state.codec import StateCodecError
    from streams.state.codes import BadSettings
    from streams.state.redis_store import NotSuitable, StoreError
    from streams.topics import TopicsError

    try:
        yield
    except (RepairRefused, RecoveryRefused, NotSuitable, StateCodecError, BadSettings) as error:
        typer.echo(f"huitou repartition: refused: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    except (
        KafkaException, RedisError, LogError, DefinitionsError, StoreError, TopicsError,
    ) as error:  # fmt: skip
        typer.echo(f"huitou repartition: {error}. Run it again: it goes on", err=True)
        raise typer.Exit(DOUBT) from None
