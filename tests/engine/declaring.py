"""A shop's campaigns, applied by the command, and when the workers of a bench know of them."""

import json
from pathlib import Path
from typing import Any

from schemas.catalogue import CAMPAIGNS, CLOCK
from schemas.clock import Tick, decode_clock
from tests.engine.harness import Bench, run_cli
from tests.waiting import wait_for

PATIENCE = 120
#: Of 10,000, so many who get no welcome.
HELD_OUT = 3_000
WELCOME = """\
campaign: welcome
trigger: first_visit
offer: {message: {text: Hello}}
limits: {per_customer: 1/total}
delivery: {channels: [app_push]}
measure: {holdout: 30%}
"""


def campaigns(bench: Bench, *arguments: str) -> dict[str, Any]:
    """What `huitou campaigns` says, which must succeed."""
    done = run_cli(bench.settings, "campaigns", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def apply_all(bench: Bench, folder: Path, texts: dict[str, str]) -> None:
    """Apply campaigns, of their names, to the shop."""
    for name, text in texts.items():
        file = folder / f"{name}.yaml"
        file.write_text(text)
        campaigns(bench, "apply", str(file), "--shop", "shop")


def wait_known(bench: Bench, changes: int) -> None:
    """Until the newest tick of every partition names so many of the campaigns' records."""
    topic = f"{bench.prefix}{CAMPAIGNS}"

    def known() -> bool:
        newest = dict(ticks(bench))
        return len(newest) == bench.settings.partitions and all(
            tick.definitions.get(topic, 0) >= changes for tick in newest.values()
        )

    wait_for(known, PATIENCE, "a tick with it")


def ticks(bench: Bench) -> list[tuple[int, Tick]]:
    """By partition, in the order of each."""
    found = [(number, decode_clock(value)) for number, value in bench.read_placed(CLOCK)]
    return [(number, tick) for number, tick in found if isinstance(tick, Tick)]
