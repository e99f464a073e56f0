"""Redis: whether it keeps what it is told, has room, tells the time, and holds what this build can read."""

import time
from collections.abc import Iterator
from typing import Any, Final

from redis.exceptions import RedisError

from streams.doctor.finding import Finding, failure, ok, unknown, warning
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION
from streams.state.connection import connect, every_node
from streams.state.errors import NotSuitable
from streams.state.redis_store import RedisStore
from streams.state.slots import Node
from streams.state.suitability import check_server

#: Share of maxmemory from which on somebody should look.
_FULL: Final = 0.8
#: Seconds that two clocks may be apart without a word; ticks and timers are of a second.
_APART: Final = 1.0
_OTHERS: Final = ("redis.memory", "redis.files", "redis.clock", "stack.states", "stack.paused")


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Blocks for at most some five seconds where nothing answers."""
    try:
        with connect(settings.redis_url) as client:
            nodes = every_node(client)
            yield _suitable(client, len(nodes))
            for node in nodes:
                info: dict[str, Any] = node.execute_command("INFO")
                yield _memory(info)
                yield _files(info)
            yield _clock(nodes[0])
        yield from _stack(settings)
    except (RedisError, ValueError) as error:
        yield failure(
            "redis",
            f"{settings.redis_url}: {error}",
            "start it, or correct REDIS_URL; `huitou stack up` starts a local one",
        )
        for check in _OTHERS:
            yield unknown(check, "Redis does not answer")


def _suitable(client: Any, nodes: int) -> Finding:
    try:
        check_server(client)
    except NotSuitable as error:
        said, _, todo = str(error).partition(": ")
        return failure("redis", said, todo or "docs/operations.md says what Redis must be")
    servers = "one server keeps" if nodes == 1 else f"{nodes} servers keep"
    return ok("redis", f"{servers} what is told")


def _memory(info: dict[str, Any]) -> Finding:
    check, used, most = "redis.memory", int(info["used_memory"]), int(info.get("maxmemory", 0))
    if not most:
        said = f"{_mebibytes(used)} used, and no maxmemory: the system ends Redis when memory does"
        return warning(check, said, "CONFIG SET maxmemory to what the machine can spare")
    said = f"{_mebibytes(used)} of {_mebibytes(most)} used"
    if used >= _FULL * most:
        return warning(check, said, "raise maxmemory or add shards: docs/capacity.md")
    return ok(check, said)


def _files(info: dict[str, Any]) -> Finding:
    check, write = "redis.files", str(info.get("aof_last_write_status", "ok"))
    rewrite = str(info.get("aof_last_bgrewrite_status", "ok"))
    if write != "ok":
        return failure(
            check, "the last write of the append-only file failed", "look at Redis's disk"
        )
    if rewrite != "ok":
        return warning(check, "the last rewrite of the append-only file failed", "look at its disk")
    return ok(check, "the append-only file is written")


def _clock(node: Node) -> Finding:
    """This machine's clock against that of Redis, which is asked in between."""
    check, before = "redis.clock", time.time()
    told: Any = node.execute_command("TIME")
    after = time.time()
    there = int(told[0]) + int(told[1]) / 1e6
    apart = max(before - there, there - after, 0.0)
    said = f"this machine's clock and that of Redis are {apart:.3f} s apart"
    if apart > _APART:
        return warning(check, said, "let both follow the same time server (chrony, ntpd)")
    return ok(check, said)


def _stack(settings: Settings) -> Iterator[Finding]:
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    try:
        partitions = range(settings.partitions)
        stored = [store.stored(partition) for partition in partitions]
        # One beyond: a stack of more partitions is there under this prefix.
        more = store.stored(settings.partitions).exists
        paused = store.paused()
    finally:
        store.close()
    begun = sum(each.exists for each in stored)
    newest = max((each.codec_min for each in stored), default=0)
    if more:
        yield failure(
            "stack.states",
            f"Redis has more partitions than HUITOU_PARTITIONS says, {settings.partitions}",
            "set HUITOU_PARTITIONS to those of the topics",
        )
    elif newest > CODEC_VERSION:
        yield failure(
            "stack.states",
            f"states have encoding {newest}, this build writes {CODEC_VERSION}",
            "start a build that writes it, or `huitou rebuild` with this one",
        )
    elif not begun:
        yield ok("stack.states", "no partition has begun")
    else:
        yield ok(
            "stack.states",
            f"{begun} of {settings.partitions} partitions have begun; this build can read them",
        )
    if paused:
        numbers = ", ".join(map(str, sorted(paused)))
        yield failure(
            "stack.paused",
            f"partition{'s' * (len(paused) > 1)} {numbers}: folding failed, nothing goes on there",
            "`huitou skip` says at what and prints the command; or deploy a build that can fold it",
        )
    else:
        yield ok("stack.paused", "no partition is paused")


def _mebibytes(number: int) -> str:
    return f"{number / 2**20:,.0f} MiB"
