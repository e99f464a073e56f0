"""Faults of the sinks and of the store they fill; workers and upstream go on meanwhile.

Each returns the stage at which it struck, "" where there was nothing to lose.
"""

import signal
import time
from contextlib import ExitStack

from tests.faults.on_network import LOST
from tests.faults.scene import AWAY, STAGE_SECONDS, Scene
from tests.faults.schedule import Fault
from tests.faults.sinks import SinkSlot
from tests.faults.stages import BEFORE_COMMIT, IN_TRANSACTION

#: A transaction of a sink that runs takes less; that of one that stands still holds the others up.
_LOCKED_SECONDS = 1.0
#: Within this others have taken over, or cannot: a file is locked as long as a frozen sink stands in a
#: transaction, where PostgreSQL ends its connection after 20 seconds.
_TAKEN_OVER_SECONDS = 25.0


def kill(scene: Scene, fault: Fault) -> str:
    """One sink, or both in one moment."""
    slot, stage = _hold(scene, fault)
    ends = scene.observer.stored_ends()
    others = [other for other in scene.sinks.slots if other is not slot and fault.variant % 2]
    for each in [slot, *others]:
        each.signal(signal.SIGKILL)
    _until_stored(scene, ends)
    return stage


def freeze(scene: Scene, fault: Fault) -> str:
    """Past its session time-out, so that the other one fills the partitions that it believes to own."""
    slot, stage = _hold(scene, fault)
    scene.wait(scene.settings.session_timeout + fault.length / 2)
    ends = scene.observer.stored_ends()
    deadline = time.monotonic() + _TAKEN_OVER_SECONDS

    def taken_over() -> bool:
        return not scene.sinks.behind(ends) or time.monotonic() > deadline

    scene.until(taken_over, "the other sink to take over")
    slot.signal(signal.SIGCONT)
    _until_stored(scene, scene.observer.stored_ends())
    return stage


def cut(scene: Scene, fault: Fault) -> str:
    """A sink's connections to Kafka or to the store: closed, or half-open past its session."""
    slot, stage = _hold(scene, fault)
    network = scene.servers.network
    to_store = network.stores if fault.variant % 2 else []
    proxy = (to_store or network.sinks_kafka)[slot.number]
    half_open = fault.variant % 4 >= 2
    with proxy.half_open(*LOST[fault.variant % len(LOST)]) if half_open else proxy.cut():
        slot.signal(signal.SIGCONT)
        if half_open:
            scene.wait(scene.settings.session_timeout)
        scene.wait(fault.length)
    _until_stored(scene, scene.observer.stored_ends())
    return stage


def crash_store(scene: Scene, fault: Fault) -> str:
    """The store's server dies, with transactions under way; a file's writers all do."""
    slot, stage = _hold(scene, fault)
    store = scene.servers.store
    ends = scene.observer.stored_ends()
    with ExitStack() as down:
        if store.port is None:
            for each in scene.sinks.slots:
                each.signal(signal.SIGKILL)
        else:
            store.kill9()
            down.callback(store.start_again)
            slot.signal(signal.SIGCONT)
        scene.wait(fault.length)
    _until_stored(scene, ends)
    return stage


def _hold(scene: Scene, fault: Fault) -> tuple[SinkSlot, str]:
    """Freezes a sink, in half of the faults in a transaction where one is met soon enough. The caller lets
    go of it."""
    _until_stored(scene, {})
    began = time.monotonic()
    while True:
        slot = scene.random.choice(scene.sinks.slots)
        slot.signal(signal.SIGSTOP)
        late = time.monotonic() - began > STAGE_SECONDS
        try:
            behind = bool(scene.sinks.behind(scene.observer.stored_ends()))
            locked = scene.servers.store.locked(_LOCKED_SECONDS)
        except AWAY:
            behind = locked = False
        if late or (behind and (locked or fault.variant % 2)):
            return slot, (IN_TRANSACTION if locked else BEFORE_COMMIT) if behind else ""
        slot.signal(signal.SIGCONT)
        scene.wait(scene.random.uniform(0.02, 0.15))


def _until_stored(scene: Scene, ends: dict[tuple[str, int], int]) -> None:
    """Waits until each sink runs and has partitions, and the store has all up to ``ends``."""
    scene.until(scene.sinks.settled, "the sinks")
    scene.until(lambda: not scene.sinks.behind(ends), "the store to have what the topics have")
