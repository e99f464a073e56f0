"""The faults by kind; each strikes while lag and outbox are not empty, and is waited out."""

import time
from collections.abc import Callable
from typing import Final

from tests.faults import lineages, on_network, on_servers, on_sinks, on_workers, schedule
from tests.faults.scene import Scene
from tests.faults.schedule import Fault

KINDS: Final[dict[str, Callable[[Scene, Fault], str]]] = {
    schedule.KILL: on_workers.kill,
    schedule.CRASH: on_workers.crash,
    schedule.FREEZE: on_workers.freeze,
    schedule.TERMINATE: on_workers.terminate,
    schedule.SCALE: on_workers.scale,
    schedule.REDIS_RESTART: on_servers.restart_redis,
    schedule.REDIS_ROLLBACK: on_servers.roll_redis_back,
    schedule.ZOMBIE_ROLLBACK: lineages.roll_back_under_a_zombie,
    schedule.DEPLOY_ROLLBACK: lineages.roll_back_in_a_deploy,
    schedule.REDIS_EMPTIED: on_servers.empty_redis,
    schedule.REDIS_FULL: on_servers.fill_redis,
    schedule.BROKER_RESTART: on_servers.restart_broker,
    schedule.OFFSETS_RESET: on_servers.reset_offsets,
    schedule.STUCK_TRANSACTION: on_servers.leave_transaction_open,
    schedule.KAFKA_CUT: on_network.cut("kafka"),
    schedule.KAFKA_SLOW: on_network.slow("kafka"),
    schedule.KAFKA_HALF_OPEN: on_network.half_open("kafka"),
    schedule.REDIS_CUT: on_network.cut("redis"),
    schedule.REDIS_SLOW: on_network.slow("redis"),
    schedule.REDIS_HALF_OPEN: on_network.half_open("redis"),
    schedule.SINK_KILL: on_sinks.kill,
    schedule.SINK_FREEZE: on_sinks.freeze,
    schedule.SINK_CUT: on_sinks.cut,
    schedule.STORE_CRASH: on_sinks.crash_store,
}


def strike(scene: Scene, fault: Fault) -> None:
    """Raises NotOvercome, RepairFailed, and what the source raised."""
    scene.wait(fault.pause)
    scene.servers.shorten_file()
    began = time.monotonic()
    stage = KINDS[fault.kind](scene, fault)
    scene.until_settled()
    seconds = time.monotonic() - began
    if stage:
        scene.tally.struck(fault.kind, stage)
    scene.tally.took(fault.kind, seconds)
    scene.tally.say(
        f"{fault.kind} · {stage or 'nothing to lose'}"
        f"{' · ' + fault.crash if fault.crash else ''} · {seconds:.1f} s"
    )
