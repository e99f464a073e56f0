"""`huitou rebuild` and `huitou group adopt`: what a refusing worker tells an operator to run."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.endings import said_errors
from streams.cli.options import FromArchive
from streams.cli.snapshot import numbers_of

if TYPE_CHECKING:
    from streams.repair.rebuild import Rebuilt
    from streams.settings import Settings

group_app = typer.Typer(
    help="The consumer group of the stack.", no_args_is_help=True, add_completion=False
)

#: Lines of progress: one in so many seconds.
PROGRESS_SECONDS = 5.0


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

    with said_errors("group adopt"):
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
    from_snapshot: Annotated[
        Path | None,
        typer.Option(
            "--from-snapshot",
            exists=True,
            file_okay=False,
            help="Begin with the newest snapshot in this folder that fits.",
        ),
    ] = None,
    archive: FromArchive = None,
    processes: Annotated[int, typer.Option(min=1, help="Partitions folded side by side.")] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what there is to do and how long it takes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before Redis is wiped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a partition.")] = False,
) -> None:
    """Wipe partitions in Redis and fold them again along the journal, from the topics' beginning, or from a
    snapshot and, for what the topics no longer have, an archive.

    For a Redis that was emptied, or whose copy is void. Nothing that was published is sent again. Stop
    all workers first. May be run again after it was cut short. With --dry-run workers may run: nothing
    is written.

    \b
    huitou rebuild --yes
    huitou rebuild --from-snapshot /backup/snapshots --archive /backup/archive --processes 4
    huitou rebuild --from-snapshot /backup/snapshots --dry-run
    """  # fmt: skip
    from streams.settings import Settings

    settings = Settings()
    numbers = numbers_of(partition, settings.partitions, "rebuild")
    if dry_run:
        _estimate(settings, numbers, from_snapshot, archive, as_json)
        return
    if not yes and not as_json and sys.stdin.isatty():
        typer.confirm(
            f"Wipe {len(numbers)} partitions of {settings.redis_url} and fold them again?",
            abort=True,
        )
    began = time.monotonic()
    said = began

    def progress(number: int, rows: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            typer.echo(f"partition {number}: {rows:,} of {of:,} commits", err=True)

    with said_errors("rebuild"):
        from streams.repair.rebuild import rebuild as run

        every = []
        for done in run(
            settings, numbers, progress,
            snapshots=from_snapshot, archive=archive, processes=processes,
        ):  # fmt: skip
            every.append(done)
            if as_json:
                typer.echo(json.dumps(asdict(done)))
            else:
                _say(done)
    if not as_json:
        _say_all(every, time.monotonic() - began)


def _say(done: "Rebuilt") -> None:
    for reason in done.passed_over:
        typer.echo(f"partition {done.partition}: passed over {reason}", err=True)
    begun = f"snapshot of seq {done.from_seq:,}" if done.from_seq else "the beginning"
    rate = done.events / done.fold_seconds if done.fold_seconds else 0
    typer.echo(
        f"partition {done.partition}: seq {done.seq:,} from {begun}; "
        f"{done.loaded_bytes / 1e6:,.1f} MB loaded in {done.load_seconds:.1f} s; {done.events:,} events in "
        f"{done.rows:,} commits folded in {done.fold_seconds:.1f} s ({rate:,.0f} events/s), {done.case}"
    )


def _say_all(every: list["Rebuilt"], seconds: float) -> None:
    events = sum(done.events for done in every)
    loaded = sum(done.loaded_bytes for done in every)
    typer.echo(
        f"{len(every)} partitions in {seconds:.1f} s: {loaded / 1e6:,.1f} MB loaded, {events:,} events "
        f"folded ({events / seconds:,.0f} events/s)"
    )


def _estimate(
    settings: "Settings",
    numbers: list[int],
    snapshots: Path | None,
    archive: Path | None,
    as_json: bool,
) -> None:
    with said_errors("rebuild"):
        from streams.repair.estimate import estimate

        found = estimate(settings, numbers, snapshots, archive)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for reason in found.passed_over:
        typer.echo(f"passed over {reason}")
    typer.echo(
        f"{found.partitions} partitions: {found.events:,} events in {found.rows:,} commits to fold, "
        f"{found.snapshot_bytes / 1e6:,.1f} MB of states to load.\n"
        f"Measured just now over {found.sampled_events:,} events in {found.sampled_rows:,} commits: "
        f"{found.events_per_second:,.0f} events/s, {found.rows_per_second:,.0f} commits/s.\n"
        f"Recovery: {found.read_seconds:.1f} s to read the snapshots and {found.fold_seconds:.1f} s to "
        "fold in one process, and what Redis takes to write the states that are loaded."
    )
