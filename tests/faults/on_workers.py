"""Faults of worker processes: killed, crashed at a named point, frozen, ended, scaled.

Each returns the stage at which it struck, "" where there was nothing to lose.
"""

import signal
import time

from tests.faults import schedule
from tests.faults.scene import AWAY, Scene
from tests.faults.schedule import Fault
from tests.faults.stages import COMMITTED
from tests.faults.workers import Slot

#: Within this an armed worker must have passed its crash point.
CRASH_SECONDS = 60.0


def kill(scene: Scene, fault: Fault) -> str:
    """One worker, or all of them in one moment, as when a machine dies."""
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    others = [other for other in scene.workers.running if other is not slot]
    for other in others if fault.variant % 2 else []:
        other.signal(signal.SIGKILL)
    scene.end_by(slot, signal.SIGKILL)
    scene.until_whole(since)
    return stage


def terminate(scene: Scene, fault: Fault) -> str:
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    slot.signal(signal.SIGCONT)
    code = scene.end_by(slot, signal.SIGTERM)
    if code != 0:
        scene.tally.problem(f"worker {slot.number} ended with {code} after SIGTERM, not with 0")
    scene.until_whole(since)
    return stage


def crash(scene: Scene, fault: Fault) -> str:
    """An armed worker ends itself at a named point; to be armed it is killed first."""
    slot, stage = scene.hold(COMMITTED)
    known = len(scene.workers.crashes)
    slot.armed = fault.crash
    scene.end_by(slot, signal.SIGKILL)
    scene.tally.struck(schedule.KILL, stage)
    if fault.crash.startswith("in-drain"):
        scene.until(lambda: scene.owning(slot), "the armed worker to recover")
        scene.hold(COMMITTED, only=slot)
        slot.signal(signal.SIGTERM)
        slot.signal(signal.SIGCONT)
    stage = fault.stage if _crashed(scene, slot, known) else ""
    scene.until_whole(time.monotonic())
    return stage


def _crashed(scene: Scene, slot: Slot, known: int) -> bool:
    """Whether the armed worker came to its crash point, with work to lose, after ``known`` crashes.
    If it does not come there in time, it is disarmed."""
    deadline = time.monotonic() + CRASH_SECONDS

    def over() -> bool:
        return len(scene.workers.crashes) > known or time.monotonic() > deadline

    scene.until(over, "the crash")
    if len(scene.workers.crashes) == known:
        slot.armed = ""
        scene.end_by(slot, signal.SIGKILL)
        return False
    try:
        return scene.observer.look([], owning=False).worth_a_strike
    except AWAY:
        return False


def freeze(scene: Scene, fault: Fault) -> str:
    """Frozen past its session time-out, so that others own what it still believes to own."""
    slot, stage = scene.hold(fault.stage)
    since, ends_known = time.monotonic(), len(slot.exit_codes)
    recovered = slot.recoveries
    session = scene.settings.session_timeout
    scene.wait(session + fault.length / 2)
    scene.until_replaced(slot, 20.0)
    scene.tally.zombies += 1
    slot.signal(signal.SIGCONT)

    def learnt() -> bool:
        scene.workers.follow()
        return len(slot.exit_codes) > ends_known or slot.recoveries > recovered

    scene.until(learnt, f"the thawed worker {slot.number} to learn of it")
    scene.until_whole(since)
    return stage


def scale(scene: Scene, fault: Fault) -> str:
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    slot.signal(signal.SIGCONT)
    for count in (1, len(scene.workers.slots), 1, scene.base):
        scene.workers.scale(count)
        scene.until(scene.workers.settled, f"{count} workers")
    scene.until_whole(since)
    return stage
