"""`huitou skip`: has a paused partition go on without what its fold fails at."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import msgspec
import typer

if TYPE_CHECKING:
    from schemas.clock import SkipCause
    from streams.engine.pausing import Paused

WRONG_USE: Final = 2
REFUSED: Final = 78


def skip(
    record: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOPIC PARTITION OFFSET]",
            help="The record to leave out. Nothing: list the paused partitions.",
        ),
    ] = None,
    timer: Annotated[
        tuple[str, str, int] | None,
        typer.Option(
            "--timer", metavar="SHOP/CUSTOMER KIND DUE", help="The timer to drop; DUE in ms."
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for those who find the dead letter.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also where the partition is not paused for it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")] = False,
) -> None:
    """Leave out what a partition is paused for, because folding it fails.

    A record becomes a dead letter with the reason `skipped`, a timer is dropped; the journal names
    either, so that recovery, rebuild and verify leave it out too. Workers take the word within about a
    second. It may be given again. Exit code 78 when the partition is not paused for what was named.

    huitou skip                                   lists what is paused, with the command for each

    huitou skip shop.orders 3 1207 --reason "negative quantity, ticket 81"

    huitou skip --timer tea/100001 abandoned-cart 1779265870000
    """
    from streams.settings import Settings

    settings = Settings()
    if not record and timer is None:
        with _said_errors():
            _list(settings.topic_prefix, as_json)
        return
    if record and timer is not None:
        _fail("either a record or --timer, not both", WRONG_USE)
    with _said_errors():
        from streams.repair.skip import skip as run

        number, cause = (
            _record(record, settings.topic_prefix, settings.partitions)
            if record
            else _timer(timer, settings.partitions)
        )
        outcome = run(settings, number, cause, reason, force=force)
    if as_json:
        cause_fields = msgspec.structs.asdict(cause)
        typer.echo(json.dumps({"partition": number, **cause_fields, "outcome": outcome}))
    elif outcome == "done":
        typer.echo(f"Partition {number} is past it already; there is nothing to skip.")
    else:
        typer.echo(
            f"The word is given to partition {number}; its worker takes it within about a second, logs "
            "`skipped`, and goes on. `huitou skip` lists what is still paused."
        )


def _list(prefix: str, as_json: bool) -> None:
    from streams.repair.skip import paused_partitions
    from streams.settings import Settings

    paused = paused_partitions(Settings())
    if as_json:
        rows = [
            {"partition": number, "error": why.error, "command": _command(number, why, prefix)}
            for number, why in paused.items()
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for number, why in paused.items():
        command = _command(number, why, prefix) or "no command: deploy a build that can fold it"
        typer.echo(f"partition {number}: {why.error}\n  {command}")
    if not paused:
        typer.echo("No partition is paused.")


def _command(number: int, paused: "Paused", prefix: str) -> str | None:
    """What skips it, ready for a shell."""
    from schemas.clock import RecordCause

    cause = paused.cause
    if cause is None:
        return None
    if isinstance(cause, RecordCause):
        arguments = [cause.topic.removeprefix(prefix), str(number), str(cause.offset)]
    else:
        arguments = ["--timer", cause.key, cause.kind, str(cause.due)]
    return shlex.join(["huitou", "skip", *arguments])


def _record(given: list[str] | None, prefix: str, partitions: int) -> tuple[int, "SkipCause"]:
    from schemas.catalogue import FOLDED_TOPICS
    from schemas.clock import RecordCause

    if given is None or len(given) != 3 or not all(part.isdecimal() for part in given[1:]):
        _fail("name a record as TOPIC PARTITION OFFSET", WRONG_USE)
    topic, partition, offset = given[0], int(given[1]), int(given[2])
    name = topic.removeprefix(prefix)
    if name not in FOLDED_TOPICS:
        _fail(
            f"{topic} is none of the topics that are folded: {', '.join(FOLDED_TOPICS)}",
            WRONG_USE,
        )
    if partition >= partitions:
        _fail(f"there is no partition {partition}; they go from 0 to {partitions - 1}", WRONG_USE)
    return partition, RecordCause(prefix + name, offset)


def _timer(given: tuple[str, str, int] | None, partitions: int) -> tuple[int, "SkipCause"]:
    from schemas.clock import TimerCause
    from schemas.partitioner import partition_of

    assert given is not None
    key, kind, due = given
    shop, slash, customer = key.partition("/")
    if not (shop and slash and customer):
        _fail(f"{key} is not SHOP/CUSTOMER", WRONG_USE)
    return partition_of(customer.encode(), partitions), TimerCause(key, kind, due)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"huitou skip: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def _said_errors() -> Iterator[None]:
    from redis.exceptions import RedisError

    from streams.engine.log_errors import LogError
    from streams.repair.skip import SkipNotWritten, SkipRefused

    try:
        yield
    except SkipRefused as error:
        typer.echo(f"huitou skip: {error}", err=True)
        raise typer.Exit(REFUSED) from None
    except (SkipNotWritten, RedisError, LogError) as error:
        typer.echo(f"huitou skip: {error}", err=True)
        raise typer.Exit(1) from None
