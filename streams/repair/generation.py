"""How the names of a generation are made: its number stands in its prefixes and its group."""

import re
from typing import Final

from streams.engine.generation import Successor
from streams.settings import Settings

#: The end of a topic prefix that belongs to a later generation, as in ``shop-a.g2.``.
_NUMBERED: Final = re.compile(r"(?<![A-Za-z0-9])g(\d+)\.$")


def number_of(settings: Settings) -> int:
    """The number of the generation that these settings are of; 1 for names without one."""
    found = _NUMBERED.search(settings.topic_prefix)
    return int(found[1]) if found else 1


def successor_of(settings: Settings, number: int, partitions: int) -> Successor:
    """The names of generation ``number`` of the same stack, with ``partitions`` partitions.

    The Redis prefix of a later generation does not begin with that of an earlier one, so a walk over
    the keys of one never meets those of another.
    """
    present = f"g{number_of(settings)}"

    def numbered(name: str) -> str:
        base = name.removesuffix(present).removesuffix(".")
        return f"{base}.g{number}" if base else f"g{number}"

    return Successor(
        topic_prefix=f"{_NUMBERED.sub('', settings.topic_prefix)}g{number}.",
        redis_prefix=f"{numbered(settings.redis_prefix.removesuffix(':'))}:",
        group=numbered(settings.group),
        partitions=partitions,
    )


def settings_of(settings: Settings, successor: Successor) -> Settings:
    """The settings of the generation that follows ``settings``."""
    return settings.model_copy(
        update={
            "topic_prefix": successor.topic_prefix,
            "redis_prefix": successor.redis_prefix,
            "group": successor.group,
            "partitions": successor.partitions,
        }
    )
