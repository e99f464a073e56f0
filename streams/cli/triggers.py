"""`huitou triggers`: the coupons that were issued, as marketing reads them."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from confluent_kafka import KafkaException, TopicPartition

from schemas.catalogue import TRIGGERS
from schemas.decoding import RawRecord
from streams.cli.printable import printable
from streams.engine.log import LogReader, open_consumer, raw_record, reached, take_batch
from streams.engine.log_errors import LogError
from streams.settings import Settings

#: How many of the newest are shown where nothing else is said.
NEWEST = 20
#: Offsets read at a time.
CHUNK = 2_000
#: Seconds that a server may take to answer a person.
PATIENCE = 10.0

#: Widths of a line for people: time, campaign, customer, reason; the code ends it.
_LINE = "{:<20}  {:<15}  {:<24}  {:<44}  {}"


def triggers(
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="All there are, oldest first a partition.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then wait for new ones, until Ctrl-C.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The events as they are, a JSON object a line.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help=f"At most so many (default: the newest {NEWEST}, or all)."),
    ] = None,
) -> None:
    """Show triggers, as a reader with isolation read_committed gets them."""
    settings = Settings()
    try:
        _show(_records(settings, from_beginning, follow, limit), as_json)
    except (LogError, KafkaException) as error:
        typer.echo(f"huitou triggers: Kafka at {settings.kafka_bootstrap}: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except BrokenPipeError:
        # The reader at the other end of a pipe (head) has enough.
        sys.stderr.close()
        raise typer.Exit(0) from None


def _records(
    settings: Settings, from_beginning: bool, follow: bool, limit: int | None
) -> Iterator[RawRecord]:
    """What is asked for, at most ``limit`` in all."""
    topic = settings.topic_prefix + TRIGGERS
    places = [(topic, partition) for partition in range(settings.partitions)]
    left = limit
    with LogReader(settings.kafka_bootstrap, patience=PATIENCE, answer_within=PATIENCE) as reader:
        ends = reader.stable_ends(places)
        if from_beginning:
            present = _all(reader, ends)
        else:
            newest = NEWEST if limit is None else limit
            present = iter(_newest(reader, ends, newest))
        for record in present:
            if left == 0:
                return
            yield record
            left = None if left is None else left - 1
    if follow and left != 0:
        for number, record in enumerate(_new(settings, ends), 1):
            yield record
            if number == left:
                return


def _all(reader: LogReader, ends: dict[tuple[str, int], int]) -> Iterator[RawRecord]:
    for place, start in reader.log_starts(ends).items():
        for first in range(start, ends[place], CHUNK):
            yield from reader.read_range(*place, first, min(first + CHUNK, ends[place]))


def _newest(reader: LogReader, ends: dict[tuple[str, int], int], count: int) -> list[RawRecord]:
    """The ``count`` newest of all partitions, oldest first."""
    starts = reader.log_starts(ends)
    found: list[RawRecord] = []
    for place, end in ends.items():
        records: list[RawRecord] = []
        # Every second offset may be a transaction's marker.
        step, last = 2 * count + 1, end
        while last > starts[place] and len(records) < count:
            first = max(starts[place], last - step)
            records = reader.read_range(*place, first, last) + records
            step, last = min(2 * step, CHUNK), first
        found += records[-count:] if count else []
    found.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
    return found[-count:] if count else []


def _new(settings: Settings, ends: dict[tuple[str, int], int]) -> Iterator[RawRecord]:
    """Those published after ``ends``, as they come."""
    consumer = open_consumer(settings.kafka_bootstrap, "read_committed")
    try:
        consumer.assign([TopicPartition(*place, end) for place, end in ends.items()])
        with LogReader(
            settings.kafka_bootstrap, patience=PATIENCE, answer_within=PATIENCE
        ) as reader:
            while True:
                for message in take_batch(consumer):
                    reached(message, reader.range_lost)
                    if message.error() is None:
                        yield raw_record(message)
    finally:
        consumer.close()


def _show(records: Iterable[RawRecord], as_json: bool) -> None:
    headed = as_json
    for record in records:
        if not headed:
            typer.echo(_LINE.format("TIME", "CAMPAIGN", "CUSTOMER", "REASON", "CODE"))
            headed = True
        text = (record.value or b"").decode()
        typer.echo(text if as_json else describe(json.loads(text)))
    if not headed:
        typer.echo("No triggers yet.", err=True)


def describe(event: dict[str, Any]) -> str:
    """One line for people: time, campaign, customer, reason, code."""
    data = event["data"]
    fields = (
        event["time"][:19] + "Z",
        data["campaign"],
        f"{data['shop_id']}/{data['customer_id']}",
        "; ".join(reason(why) for why in data.get("why", [])) or data["kind"],
        data.get("offer", {}).get("code", "-"),
    )
    return _LINE.format(*map(printable, fields))


def reason(why: dict[str, Any]) -> str:
    """A condition that held, as ``rating 1 (threshold 2)``."""
    return f"{why['rule']} {why['value']} (threshold {why['threshold']})"
