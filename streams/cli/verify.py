"""`huitou verify`: proves that state and triggers are what the log says."""

import json
import sys
import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from streams.cli.options import FromArchive
from streams.cli.printable import plain_console, printable
from streams.settings import Settings
from streams.verify.report import EXPLAINED, Report, Tally

#: Lines of progress where no terminal is: one in so many seconds.
PROGRESS_SECONDS = 10.0


def verify(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
    partition: Annotated[
        list[int] | None, typer.Option("--partition", "-p", help="Only these; may be repeated.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, help="Differences explained; all are counted.")
    ] = EXPLAINED,
    patience: Annotated[
        float, typer.Option(min=0.0, help="Seconds a commit may take to be published.")
    ] = 30.0,
    archive: FromArchive = None,
) -> None:
    """Fold the log again along the journal, and compare it with every customer's state and timers
    and every shop's aggregates in Redis and every record of shop.triggers, shop.decisions and
    shop.verdicts, also beside running workers. Exit 1 unless all agree.
    """
    from confluent_kafka import KafkaException
    from redis.exceptions import RedisError

    from streams.archive.errors import ArchiveRefused
    from streams.definitions import DefinitionsError
    from streams.engine.log_errors import LogError
    from streams.verify.verify import verify as run

    began = time.monotonic()
    try:
        with _Shown() as shown:
            report = run(
                Settings(),
                partition,
                progress=shown.step,
                limit=limit,
                patience=patience,
                archive=archive,
            )
    except (
        ValueError, RedisError, KafkaException, DefinitionsError, LogError, ArchiveRefused,
    ) as error:  # fmt: skip
        typer.echo(f"huitou verify: {error}", err=True)
        raise typer.Exit(1) from None
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(json.dumps(as_dict(report, seconds), ensure_ascii=False))
    else:
        _print(report, seconds)
    if not report.agree:
        raise typer.Exit(1)


def as_dict(report: Report, seconds: float) -> dict[str, object]:
    """The report for programs: ``missing``, ``extra`` and ``different`` are over all subjects."""
    total = report.total
    return {
        "agree": report.agree,
        "missing": total.missing,
        "extra": total.extra,
        "different": total.different,
        "seconds": round(seconds, 3),
        **msgspec.to_builtins(report, str_keys=True),
    }


def _print(report: Report, seconds: float) -> None:
    console = plain_console()
    table = Table("", "compared", "missing", "extra", "different")
    for name, tally in _subjects(report).items():
        counts = (tally.compared, tally.missing, tally.extra, tally.different)
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)
    for difference in report.differences:
        console.print(f"- {printable(str(difference))}", soft_wrap=True)
    hidden = report.total.disagreements - len(report.differences)
    if hidden > 0:
        console.print(f"... and {hidden:,} more (--limit)")
    commits = sum(report.seqs.values())
    console.print(
        f"{report.events:,} events in {commits:,} commits of {len(report.seqs)} partitions folded "
        f"again in {seconds:.1f} s; {report.unprocessed:,} records wait to be processed"
    )
    if report.adopted:
        console.print(
            f"{report.adopted:,} adopted rows: written by another build, whose triggers were taken over "
            "as they were published"
        )
    console.print("All agree." if report.agree else "They do not agree.")


def _subjects(report: Report) -> dict[str, Tally]:
    return {
        "journal rows": report.journal,
        "partitions": report.partitions,
        "states": report.states,
        "timers": report.timers,
        "aggregates": report.aggregates,
        "triggers": report.triggers,
        "verdicts": report.verdicts,
        "decisions": report.decisions,
        "dead letters": report.dead_letters,
    }


class _Shown:
    """Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("partition {task.fields[partition]}"),
                BarColumn(),
                TextColumn("{task.completed:,.0f} of {task.total:,.0f} commits"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("verify", partition=0, total=1)
        self._said = time.monotonic()

    def __enter__(self) -> "_Shown":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, partition: int, seq: int, known: int) -> None:
        """The partition was folded up to ``seq`` of ``known`` commits."""
        if self._bar is not None:
            self._bar.update(self._task, partition=partition, completed=seq, total=known)
        elif time.monotonic() - self._said >= PROGRESS_SECONDS:
            self._said = time.monotonic()
            typer.echo(f"partition {partition}: {seq:,} of {known:,} commits", err=True)
