"""Rollbacks of Redis that make two histories meet: a frozen worker's and its successors', two builds'.

Each returns the stage at which it struck.
"""

import signal
import time
from contextlib import ExitStack

from tests.faults.scene import Scene, WorkerRefused
from tests.faults.schedule import Fault
from tests.faults.upstream import open_on_triggers


def roll_back_under_a_zombie(scene: Scene, fault: Fault) -> str:
    """Redis is put back to where a frozen worker knew it, and it thaws: for all that it can see in
    Redis it still owns its partitions, while Kafka has what its successors published.

    In one form connections break, and it ends; in the other they stay, and it may write a lineage of
    its own: its successor must refuse (forked) until the partition is rebuilt.
    """
    scene.until_settled()
    slot, stage = scene.hold(fault.stage)
    since = time.monotonic()
    scene.servers.copy_redis()
    before = scene.commits()
    scene.wait(scene.settings.session_timeout)
    scene.until_replaced(slot, 20.0)
    scene.until(lambda: scene.commits() > before, "commits of the zombie's successors")
    scene.wait(fault.length / 2)
    lost = scene.commits() - before
    if fault.variant % 2:
        scene.servers.swap_copy_in()
    else:
        scene.servers.kill_redis()
        scene.servers.put_copy_back()
        scene.servers.start_redis()
    slot.signal(signal.SIGCONT)
    scene.tally.zombies += 1
    scene.tally.rolled_back(lost)
    _until_whole(scene, since)
    return stage


def _until_whole(scene: Scene, since: float) -> None:
    """A refusal names the partition where it was seen; others of the same worker may have forked too."""
    while True:
        try:
            scene.until_whole(since)
            return
        except WorkerRefused as refused:
            if refused.refusal.case != "forked":
                raise
            scene.operator.obey(refused.refusal, everywhere=True)
            scene.workers.scale(scene.base)
            since = time.monotonic()


def roll_back_in_a_deploy(scene: Scene, fault: Fault) -> str:
    """Half of the workers run another build already, so what is lost was written by both, and whoever
    recovers adopts the other's. In some of them a transaction stands open on shop.triggers meanwhile.
    """
    scene.until_settled()
    scene.servers.copy_redis()
    before = scene.commits()
    tree = scene.builds.next()
    running = scene.workers.running
    first = running[: len(running) // 2]
    for slot in first:
        slot.tree = tree
        scene.end_by(slot, signal.SIGTERM)
    scene.until_settled()
    scene.wait(fault.length / 2)
    with ExitStack() as outsider:
        if fault.variant % 2:
            outsider.enter_context(open_on_triggers(scene.settings))
        slot, stage = scene.hold(fault.stage)
        since = time.monotonic()
        lost = scene.commits() - before
        scene.servers.kill_redis()
        scene.servers.put_copy_back()
        slot.signal(signal.SIGCONT)
        scene.servers.start_redis()
        scene.tally.rolled_back(lost)
        for slot in [each for each in scene.workers.slots if each not in first]:
            slot.tree = tree
            slot.signal(signal.SIGTERM)
        scene.wait(fault.length)
    scene.until_whole(since)
    return stage
