"""`huitou rebuild` and `huitou group adopt`: what a refusing worker tells an operator to run."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

group_app = typer.Typer(
    help="The consumer group of the stack.", no_args_is_help=True, add_completion=False
)

#: Lines of progress: one in so many journal rows.
PROGRESS_ROWS = 1_000


@group_app.callback()
def _group() -> None:
    """A group even with one command, so that its name is part of the command."""


@group_app.command()
def adopt(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on stdout.")] = False,
) -> None:
    """Give a group that was reset, deleted or made anew the offsets that its journal tells.

    Nothing is processed by it. Stop all workers first.
    """
    from streams.repair.group import adopt_group
    from streams.settings import Settings

    with _said_errors("group adopt"):
        adopted = adopt_group(Settings())
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in adopted]))
        return
    for entry in adopted:
        said = f"seq {entry.seq}" if entry.seq else "nothing was published yet"
        typer.echo(f"partition {entry.partition}: {said}")


def rebuild(
    partition: Annotated[
        list[int] | None, typer.Option("--partition", "-p", help="Only these; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before Redis is wiped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a partition.")] = False,
) -> None:
    """Wipe partitions in Redis and fold them again from the topics, along the journal.

    For a Redis that was emptied, or whose copy is void. Nothing that was published is sent again. Stop
    all workers first. May be run again after it was cut short.
    """
    from streams.repair.rebuild import rebuild as run
    from streams.settings import Settings

    settings = Settings()
    numbers = sorted(set(partition)) if partition else list(range(settings.partitions))
    wrong = [number for number in numbers if not 0 <= number < settings.partitions]
    if wrong:
        typer.echo(
            f"huitou rebuild: there is no partition {wrong[0]}; they go from 0 to "
            f"{settings.partitions - 1}",
            err=True,
        )
        raise typer.Exit(2)
    if not yes and not as_json and sys.stdin.isatty():
        typer.confirm(
            f"Wipe {len(numbers)} partitions of {settings.redis_url} and fold them again?",
            abort=True,
        )

    def progress(number: int, rows: int) -> None:
        if rows % PROGRESS_ROWS == 0:
            typer.echo(f"partition {number}: {rows:,} commits", err=True)

    with _said_errors("rebuild"):
        for done in run(settings, numbers, progress):
            if as_json:
                typer.echo(json.dumps(asdict(done)))
            else:
                rate = done.events / done.seconds if done.seconds else 0
                typer.echo(
                    f"partition {done.partition}: {done.events:,} events in {done.seq:,} commits, "
                    f"{done.seconds:.1f} s ({rate:,.0f} events/s)"
                )


@contextmanager
def _said_errors(command: str) -> Iterator[None]:
    """What can go wrong becomes one sentence and exit code 1."""
    from confluent_kafka import KafkaException
    from redis.exceptions import RedisError

    from streams.definitions import DefinitionsError
    from streams.engine.log_errors import LogError
    from streams.engine.refusal import RecoveryRefused
    from streams.repair.refused import RepairRefused
    from streams.state.redis_store import StoreError

    try:
        yield
    except (
        ValueError,
        RepairRefused,
        RecoveryRefused,
        StoreError,
        LogError,
        DefinitionsError,
        RedisError,
        KafkaException,
    ) as error:
        typer.echo(f"huitou {command}: {error}", err=True)
        raise typer.Exit(1) from None
