"""Browse paths (页面路径): from which kind of page visitors go on to which.

A step is of one event: a look at a page that says what the visitor had looked at right before
(``came_from``). So it depends on no other event, late or early, and costs nothing where it is not told.
Were it of two neighbouring looks of a session, each late one would have to undo what was counted.

Kinds of pages are the contract's words: 12 x 13 steps a day at most, for which there is always room.
Products and categories would be any number of pairs, and would leave no room for other parts of a day.
"""

from typing import Final, get_args

from schemas.click import CameFrom, Click, PageKind
from streams.domain.aggregates.names import part

STEPS: Final = "steps"
#: Between the two kinds of a step's value.
TO: Final = ">"
#: The kind before the first one.
ENTRY: Final = "none"
#: Actions that are a look at a page of always the same kind.
LOOKS: Final = {
    "search": "search", "live_enter": "live", "campaign_open": "campaign", "store_visit": "store",
}  # fmt: skip
#: Kind before -> kind looked at -> the sum that such a look adds one to.
NAMES: Final = {
    before: {kind: part(STEPS, "step", f"{before}{TO}{kind}") for kind in get_args(PageKind)}
    for before in get_args(CameFrom)
}


def kind_of(click: Click) -> str | None:
    """What a view is a look at; None: it does not say, or is no view."""
    if click.action != "view":
        return None
    return click.page_kind or (None if click.sku is None else "product")
