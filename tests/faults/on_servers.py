"""Faults of Redis and Kafka: killed, full, emptied, put back, offsets changed, transactions left open.

Each returns the stage at which it struck.
"""

import signal
import time

from tests.faults import schedule
from tests.faults.scene import NotOvercome, Scene
from tests.faults.schedule import POINTS, Fault
from tests.faults.upstream import open_on_events, open_on_triggers
from tests.waiting import wait_for

#: Within this a worker must have met the full Redis.
_FULL_SECONDS = 120.0


def restart_redis(scene: Scene, fault: Fault) -> str:
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    scene.servers.kill_redis()
    slot.signal(signal.SIGCONT)
    scene.wait(fault.length)
    scene.servers.start_redis()
    scene.tally.redis_restarts += 1
    scene.until_whole(since)
    return stage


def restart_broker(scene: Scene, fault: Fault) -> str:
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    scene.servers.kill_broker()
    slot.signal(signal.SIGCONT)
    scene.wait(fault.length)
    scene.servers.start_broker()
    scene.observer.reconnect()
    scene.tally.broker_restarts += 1
    scene.until_whole(since)
    return stage


def roll_redis_back(scene: Scene, fault: Fault) -> str:
    """All that Redis was told in the last seconds is lost, also what it had acknowledged."""
    scene.until_settled()
    scene.servers.copy_redis()
    before = scene.commits()
    scene.wait(fault.length)
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    lost = scene.commits() - before
    scene.servers.kill_redis()
    scene.servers.put_copy_back()
    known = len(scene.workers.crashes)
    if fault.crash:
        # Whichever comes back first repeats the journal.
        for each in scene.workers.running:
            each.armed = fault.crash
        scene.end_by(slot, signal.SIGKILL)
    else:
        slot.signal(signal.SIGCONT)
    scene.servers.start_redis()
    scene.tally.rolled_back(lost)
    if fault.crash:
        _await_replay(scene, fault.crash, known)
    scene.until_whole(since)
    return stage


def _await_replay(scene: Scene, spec: str, known: int) -> None:
    """An armed worker dies while it repeats the journal, or all of it has been repeated."""
    crashes = scene.workers.crashes
    scene.until(lambda: len(crashes) > known or scene.workers.settled(), "the replay")
    if len(crashes) > known:
        scene.tally.struck(schedule.CRASH, POINTS[spec.partition(":")[0]])
    for slot in scene.workers.slots:
        slot.armed = ""


def fill_redis(scene: Scene, fault: Fault) -> str:
    """Redis refuses every commit for a while. Workers must keep nothing half-written."""
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    refused = scene.servers.out_of_memory()
    scene.servers.fill_redis()
    slot.signal(signal.SIGCONT)
    try:
        wait_for(
            lambda: scene.servers.out_of_memory() > refused,
            _FULL_SECONDS,
            "Redis to refuse a command for want of memory",
        )
        scene.wait(fault.length)
    except AssertionError as error:
        raise NotOvercome(str(error)) from error
    finally:
        scene.servers.make_room()
    scene.until_whole(since)
    return stage


def empty_redis(scene: Scene, fault: Fault) -> str:
    """A worker must refuse; `huitou rebuild`, which it names, brings all of it back."""
    slot, stage = scene.hold(fault.stage)
    scene.servers.empty_redis()
    slot.signal(signal.SIGCONT)
    refusal = scene.until_refused("missing")
    scene.operator.obey(refusal, everywhere=True)
    scene.workers.scale(scene.base)
    scene.until_whole(time.monotonic())
    return stage


def reset_offsets(scene: Scene, fault: Fault) -> str:
    """A worker must refuse; `huitou group adopt`, which it names, gives the offsets back."""
    _, stage = scene.hold(fault.stage)
    done = scene.operator.reset_offsets(fault.variant % 3)
    scene.tally.say(f"offsets: {done}")
    scene.workers.scale(scene.base)
    refusal = scene.until_refused("reset")
    if "huitou group adopt" not in refusal.words:
        raise NotOvercome(f"the refusal does not name `huitou group adopt`: {refusal}")
    scene.operator.obey(refusal)
    scene.workers.scale(scene.base)
    scene.until_whole(time.monotonic())
    return stage


def leave_transaction_open(scene: Scene, fault: Fault) -> str:
    """Of an upstream service, that commits or aborts it after seconds, or of an outsider that writes
    to shop.triggers. Everything behind it must wait, and nothing may be taken twice or passed over."""
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    forms = {
        0: open_on_events(scene.settings, scene.source, scene.tally.faults, commits=True),
        1: open_on_events(scene.settings, scene.source, scene.tally.faults, commits=False),
        2: open_on_triggers(scene.settings),
    }
    with forms[fault.variant % len(forms)]:
        slot.signal(signal.SIGCONT)
        scene.wait(2.0 + fault.length)
    scene.until_whole(since)
    return stage
