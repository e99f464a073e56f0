"""`huitou` of builds that are not this one: `python -m tests.engine.odd_builds BUILD[,BUILD] worker`.

``failing``: its fold raises at every event whose id begins with "unfoldable", and its campaigns at every
abandoned cart of a customer whose id begins with "untimely". ``other``: it calls itself another build and
its campaigns offer other coupons. ``counting``: it says each crash point that it passes, on standard error.
"""

import sys
from collections.abc import Callable
from typing import Any

import msgspec

from streams import bootstrap
from streams.campaigns import registry
from streams.campaigns.campaign import version_of
from streams.cli.main import app
from streams.engine import draft
from streams.engine.crashpoints import CrashPoints

OTHER_BUILD = "0.0.9+other"
OTHER_VALUE = 35


def failing() -> None:
    fold, decide = draft.fold_event, draft.decide_timer

    def fold_event(state: Any, event: Any, *arguments: Any) -> Any:
        facts = fold(state, event, *arguments)
        if event.id.startswith("unfoldable"):
            raise ZeroDivisionError("planted")
        return facts

    def decide_timer(state: Any, *arguments: Any) -> Any:
        if state.customer_id.startswith("untimely"):
            raise ZeroDivisionError("planted")
        return decide(state, *arguments)

    draft.fold_event, draft.decide_timer = fold_event, decide_timer


def other() -> None:
    replace = msgspec.structs.replace
    changed = []
    for campaign in registry.CAMPAIGNS:
        offer = replace(campaign.definition.offer, value=OTHER_VALUE)
        definition = replace(campaign.definition, offer=offer)
        changed.append(replace(campaign, definition=definition, version=version_of(definition)))
    from streams.campaigns import decide

    decide.CAMPAIGNS = bootstrap.CAMPAIGNS = tuple(changed)
    bootstrap.build = lambda: OTHER_BUILD  # type: ignore[assignment]


def counting() -> None:
    def reach(_: CrashPoints, point: str) -> None:
        sys.stderr.write(f"passed {point}\n")
        sys.stderr.flush()

    CrashPoints.reach = reach  # type: ignore[assignment,method-assign]


BUILDS: dict[str, Callable[[], None]] = {"failing": failing, "other": other, "counting": counting}

if __name__ == "__main__":
    for name in sys.argv.pop(1).split(","):
        BUILDS[name]()
    app()
