"""`huitou event SOURCE ID`: what became of one event."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from streams.cli.counted import Counted
from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, said_errors
from streams.cli.options import FromArchive, require_text
from streams.cli.printable import plain_console, printable
from streams.domain.moments import moment

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.tracing.trace import Traced

#: Records looked at for the event: some minutes' reading.
LIMIT = 5_000_000
_SAID = {
    "applied": "applied",
    "duplicate": "a duplicate",
    "dead_letter": "a dead letter",
    "skipped": "left out on an operator's word",
    "not_processed": "not processed yet",
    "before_journal": "processed before the journal's beginning",
    "passed_over": "passed over",
}


def event(
    source: Annotated[str, typer.Argument(help="Who sent it: the event's source.")],
    identity: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    customer: Annotated[
        str | None, typer.Option(help="Whose it is: only their partition is looked at.")
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Only these, as shop.orders; may be repeated."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what was appended since; UTC unless it says otherwise.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Records looked at for it.")] = LIMIT,
    archive: FromArchive = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
) -> None:
    """Say what became of the event that SOURCE and ID name: each record of it, where it lies, whether it was
    applied, a duplicate (of which record), a dead letter (why) or is not processed yet; the commit that
    processed it, whether that is published, and the triggers and refusals that it caused.

    Kafka has no index of events, so topics are read: with --customer one partition of them. What it was is
    told by the customer's events folded again in the order of the journal.

    Exit codes: 0; 1 no such event was found; 2 wrong use; 70 Kafka or Redis does not answer; 78 it is not
    among as many records as --limit says.

    \b
    huitou event till-7 4711-0092 --customer 100001
    huitou event till-7 4711-0092 --topic shop.orders --since 2026-11-20
    huitou event till-7 4711-0092 --customer 100001 --archive /backup/archive --json
    """  # fmt: skip
    require_text("event", source=source, identity=identity, customer=customer)
    from streams.settings import Settings

    settings = Settings()
    with said_errors("event"), Counted("records read") as shown:
        topics = _topics(settings, topic)
        since_ms = _since(since)
        from streams.archive.logs import Logs
        from streams.engine.topicnames import TopicNames
        from streams.state.redis_store import RedisStore
        from streams.tracing.copies import Log, TooMany
        from streams.tracing.trace import Tracer

        read = 0

        def progress(more: int) -> None:
            nonlocal read
            read += more
            shown.at(read)

        names = TopicNames.of(settings.topic_prefix)
        store = RedisStore(settings.redis_url, settings.redis_prefix)
        try:
            with Logs(settings.kafka_bootstrap, archive).reader() as reader:
                log = Log(reader, names, since_ms, limit, progress)
                tracer = Tracer(log, store, names, settings.partitions)
                found = tracer.trace(source, identity, customer, topics)
                cut = [] if found else _cut(log, topics, settings, customer)
        except TooMany as error:
            _fail(str(error), EXIT_REFUSED)
        finally:
            store.close()
    if as_json:
        said = {
            "source": source, "id": identity, "records_read": read, "not_looked_at": cut,
            "records": [_as_dict(one) for one in found],
        }  # fmt: skip
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        for one in found:
            _print(one)
    if not found:
        where = f"; not looked at: {', '.join(cut)} (--archive, --since)" if cut else ""
        typer.echo(
            f"huitou event: no event {printable(identity)} of {printable(source)} in {read:,} records{where}",
            err=True,
        )
        raise typer.Exit(EXIT_FOUND)


def _topics(settings: "Settings", given: list[str] | None) -> list[str]:
    """Kafka names. Raises ValueError for what is no topic of customers."""
    from schemas.catalogue import CUSTOMER_TOPICS

    names = [name.removeprefix(settings.topic_prefix) for name in given or CUSTOMER_TOPICS]
    for name in names:
        if name not in CUSTOMER_TOPICS:
            raise ValueError(f"no topic {name!r} of events; there are {', '.join(CUSTOMER_TOPICS)}")
    return [settings.topic_prefix + name for name in dict.fromkeys(names)]


def _since(text: str | None) -> int | None:
    from streams.query.wording import instant

    return None if text is None else instant(text, "UTC")


def _cut(log: Any, topics: list[str], settings: "Settings", customer: str | None) -> list[str]:
    """The beginnings of topics that were not looked at, for people."""
    from schemas.partitioner import partition_of

    numbers = (
        range(settings.partitions)
        if customer is None
        else [partition_of(customer.encode(), settings.partitions)]
    )
    starts = log.starts([(topic, number) for topic in topics for number in numbers])
    return [
        f"{topic}[{number}] before offset {start}"
        for (topic, number), start in starts.items()
        if start
    ]


def _as_dict(one: "Traced") -> dict[str, Any]:
    said = asdict(one)
    said["appended_at"] = moment(said.pop("appended_ms"))
    said["key"] = None if one.key is None else one.key.decode(errors="replace")
    said["certain"] = one.doubt is None
    said["published"] = one.is_published
    if one.duplicate_of is not None:
        said["duplicate_of"] = dict(
            zip(("topic", "partition", "offset"), one.duplicate_of, strict=True)
        )
    return said


def _print(one: "Traced") -> None:
    console = plain_console()
    console.print(
        f"{_place(one.topic, one.partition, one.offset)}, appended {moment(one.appended_ms)}",
        style="bold",
    )
    if one.key is not None:
        console.print(f"  customer: {printable(one.key.decode(errors='replace'))}", soft_wrap=True)
    outcome = _SAID[one.outcome]
    if one.duplicate_of is not None:
        outcome += f" of {_place(*one.duplicate_of)}"
    why = f" ({printable(one.why)})" if one.why else ""
    console.print(f"  it is {outcome}{why}", soft_wrap=True)
    if one.doubt:
        console.print(f"  not certain: {printable(one.doubt)}", soft_wrap=True)
    if one.seq is not None:
        published = (
            "not published yet"
            if one.journal_offset is None
            else f"published at offset {one.journal_offset} of the journal"
        )
        console.print(
            f"  commit {one.seq} of partition {one.partition}, {published}, build {one.build}"
        )
    if one.dead_letter_offset is not None:
        console.print(f"  its dead letter is at offset {one.dead_letter_offset}")
    for trigger in one.triggers:
        code = f", code {trigger.code}" if trigger.code else ""
        console.print(
            f"  trigger {trigger.trigger_id}: {trigger.kind} of {trigger.campaign}{code}, "
            f"at {_place(trigger.topic, trigger.partition, trigger.offset)}",
            soft_wrap=True,
        )
    for refused in one.refusals:
        console.print(
            f"  {refused.campaign} refused a coupon: {printable(refused.reason)} saw "
            f"{printable(str(refused.saw))}, at {_place(refused.topic, refused.partition, refused.offset)}",
            soft_wrap=True,
        )
    if one.outcome == "applied" and one.is_published and not one.triggers:
        console.print("  no trigger")


def _place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}[{partition}]@{offset}"


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"huitou event: {message}", err=True)
    raise typer.Exit(code)
