"""Conditions made ready for many looks: whether they hold, without what was seen.

What ``evaluate`` says, and nothing but its ``holds``: parts that cannot change it any more are not looked at.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from streams.campaigns.language.conditions.condition import (
    AllOf,
    Among,
    AnyOf,
    Between,
    Compare,
    Condition,
    IsKnown,
    Not,
)
from streams.campaigns.language.conditions.evaluating import evaluate, tested
from streams.campaigns.language.figures.catalogue import FIGURES, read_figure
from streams.campaigns.language.figures.figure import Seen
from streams.campaigns.language.figures.scene import Scene

#: Whether a condition holds of a scene; None: that is not known.
Test: TypeAlias = Callable[[Scene], bool | None]


def compiled(condition: Condition, currency: str) -> Test:
    """``condition``, whose amounts are of ``currency``, as a function of the scene."""
    match condition:
        case AllOf(parts):
            return _unless(False, [compiled(part, currency) for part in parts])
        case AnyOf(parts):
            return _unless(True, [compiled(part, currency) for part in parts])
        case Not(part):
            return _turned(compiled(part, currency))
        case Compare() | Among() | Between() | IsKnown():
            return _of_figure(condition, currency)
    return lambda scene: evaluate(condition, scene, currency).holds


def _unless(deciding: bool, parts: Sequence[Test]) -> Test:
    """One part that is ``deciding`` decides, else one that is not known does."""

    def test(scene: Scene) -> bool | None:
        found: bool | None = not deciding
        for part in parts:
            holds = part(scene)
            if holds is deciding:
                return deciding
            if holds is None:
                found = None
        return found

    return test


def _turned(part: Test) -> Test:
    def test(scene: Scene) -> bool | None:
        holds = part(scene)
        return None if holds is None else not holds

    return test


def _of_figure(condition: Compare | Among | Between | IsKnown, currency: str) -> Test:
    figure = FIGURES[condition.figure]

    def test(scene: Scene) -> bool | None:
        reading = read_figure(figure, scene, currency)
        is_known = isinstance(reading, Seen)
        if isinstance(condition, IsKnown):
            return is_known == condition.known
        return tested(condition, figure, reading) if isinstance(reading, Seen) else None

    return test
