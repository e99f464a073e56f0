"""`huitou doctor`: looks at all that the stack rests on, and says what to do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.cli.endings import EXIT_FOUND
from streams.cli.printable import plain_console, printable

if TYPE_CHECKING:
    from streams.doctor.finding import Finding

_WORDS: Final = {"ok": "ok", "warning": "WARNING", "failure": "FAILURE", "unknown": "?"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Look at the settings, Kafka, its topics and permissions, Redis, the clocks, what Redis holds and the
    query store, and say of each what is wrong and what to do. Changes nothing.

    Exit code 0: nothing fails, though there may be warnings; 1: something does, or could not be looked at.

    \b
    huitou doctor
    huitou doctor --json | jq '.findings[] | select(.status != "ok")'
    """
    found = list(_findings())
    fails = any(each.status in ("failure", "unknown") for each in found)
    if as_json:
        import json

        findings = [each._asdict() for each in found]
        typer.echo(json.dumps({"healthy": not fails, "findings": findings}, ensure_ascii=False))
    else:
        _print(found)
    if fails:
        raise typer.Exit(EXIT_FOUND)


def _findings() -> "Iterator[Finding]":
    from streams.doctor.kafka_checks import check_kafka
    from streams.doctor.redis_checks import check_redis
    from streams.doctor.settings_checks import check_settings, read_settings
    from streams.doctor.store_checks import check_store

    settings, found = read_settings()
    yield from found
    if settings is None:
        return
    yield from check_settings(settings)
    kafka = list(check_kafka(settings))
    yield from kafka
    yield from check_redis(settings)
    answers = all(each.check != "kafka" or each.status == "ok" for each in kafka)
    yield from check_store(settings, kafka_answers=answers)


def _print(found: "list[Finding]") -> None:
    from rich.table import Column, Table

    # A path is not cut: it is what somebody looks for.
    table = Table("", "what", Column("found", overflow="fold"))
    for each in found:
        said = printable(each.said) + (f"\n-> {printable(each.todo)}" if each.todo else "")
        table.add_row(_WORDS[each.status], each.check, said)
    plain_console().print(table)
    numbers = {status: sum(each.status == status for each in found) for status in _WORDS}
    typer.echo(
        f"{numbers['failure']} failing, {numbers['warning']} to look at, {numbers['unknown']} not known, "
        f"{numbers['ok']} as they should be"
    )
