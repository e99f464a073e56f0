"""`huitou size`: how large a stack has to be."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from streams.capacity.figures import FIGURES, values
from streams.capacity.sizing import GB, MB, TB, Load, Need, Size
from streams.capacity.sizing import size as sized
from streams.cli.endings import EXIT_USAGE

#: Beyond what huitou was made for, the arithmetic says nothing.
MOST_EVENTS, MOST_CUSTOMERS, MOST_DAYS = 10_000_000, 1_000_000_000, 3_660


def size(
    events_per_second: Annotated[
        float, typer.Option(min=1, max=MOST_EVENTS, help="At the peak: up to 10,000,000.")
    ],
    customers: Annotated[
        int, typer.Option(min=1, max=MOST_CUSTOMERS, help="With a state: up to 1,000,000,000.")
    ],
    days: Annotated[
        float,
        typer.Option(min=1, max=MOST_DAYS, help="That Kafka keeps events; the contract's are 400."),
    ] = 400,
    changed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another figure; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Partitions, workers, Redis and Kafka for a load, and which limit is nearest, with its remedy.

    Worked out from figures of which some were measured and others are assumptions, both marked; measure
    your own and give them with --set. docs/capacity.md explains each. It asks no server.
    Exit codes: 0 shown; 1 shown, and a limit is exceeded; 2 wrong use.

    \b
    huitou size --events-per-second 3000 --customers 200000
    huitou size --events-per-second 1000000 --customers 1000000000 --days 30 --json
    huitou size --events-per-second 50000 --customers 5000000 --set worker-us=40 --set broker-tb=30
    """
    try:
        chosen = _chosen(changed or [])
        figures = values(chosen)
    except ValueError as error:
        typer.echo(f"huitou size: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    found = sized(Load(events_per_second, customers, days), figures)
    if as_json:
        typer.echo(json.dumps(_json(found, figures, chosen)))
    else:
        typer.echo("\n".join(_lines(found, chosen)))
    if found.limits[0].used > 1:
        raise typer.Exit(1)


def _chosen(changed: list[str]) -> dict[str, float]:
    chosen: dict[str, float] = {}
    for one in changed:
        name, _, value = one.partition("=")
        try:
            chosen[name] = float(value)
        except ValueError:
            raise ValueError(f"--set {one}: NAME=VALUE with a number is wanted") from None
    return chosen


def _json(found: Size, figures: dict[str, float], chosen: dict[str, float]) -> dict[str, object]:
    return {
        **asdict(found),
        "redis_shards": _need(found.redis_shards),
        "brokers": _need(found.brokers),
        "figures": {
            figure.name: {
                "value": figures[figure.name], "unit": figure.unit,
                "source": "given" if figure.name in chosen else figure.source or "assumption",
            }
            for figure in FIGURES
        },
    }  # fmt: skip


def _need(need: Need) -> dict[str, object]:
    return {"count": need.count, "decided_by": need.decided_by, "by_reason": need.by_reason}


def _lines(found: Size, chosen: dict[str, float]) -> list[str]:
    shards, brokers = found.redis_shards, found.brokers
    rows = [
        ("partitions", f"{found.partitions:,}"),
        ("workers", f"{found.workers:,}, up to {_bytes(found.worker_memory_bytes)} each"),
        ("Redis shards", f"{shards.count:,} (decided by {shards.decided_by})"),
        ("Redis memory", f"{_bytes(found.redis_memory_bytes)}, with replicas"),
        ("Kafka brokers", f"{brokers.count:,} (decided by {brokers.decided_by})"),
        ("Kafka disk", f"{_bytes(found.kafka_disk_bytes)}, with copies"),
        ("Kafka network", f"{_bytes(found.kafka_bytes_per_second)}/s, in and out"),
        ("transactions", f"{found.transactions_per_second:,.0f}/s"),
    ]
    assumed = [one.name for one in FIGURES if not one.source and one.name not in chosen]
    return [
        *(f"{name:<14} {text}" for name, text in rows),
        "",
        "What limits first (share of what may be used, at the peak):",
        *(f"{limit.used:>6.0%}  {limit.name}: {limit.remedy}" for limit in found.limits),
        "",
        f"Assumed, not measured (--set NAME=VALUE): {', '.join(assumed)}",
    ]


def _bytes(number: float) -> str:
    for unit, factor in (("PB", 1_000 * TB), ("TB", TB), ("GB", GB)):
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number / MB:,.0f} MB"
