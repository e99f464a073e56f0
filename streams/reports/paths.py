"""Browse paths (页面路径): where sessions begin and end, and which kind of page leads to which."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import Connection

from streams.domain.aggregates.clicks import SUMS
from streams.domain.aggregates.names import parts_of
from streams.domain.aggregates.paths import ENTRY, LOOKS, STEPS, TO
from streams.reports.amounts import share, unknown
from streams.reports.live import Counted, by_time, counted
from streams.reports.live import says as freshness
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sent import CLICKS

_CLICKS: Final = "live: shop.clicks"
FIGURES: Final = (
    Figure(
        "page_views", "count",
        "Looks at a page (views, searches, entries into live streams and campaigns, store visits) that tell "
        "what was looked at before (came_from); by step those that came from the page named first.",
        _CLICKS, additive=True,
    ),
    Figure("entries", "count", "Those of them with which a session begins.", _CLICKS, additive=True),
    Figure("went_on", "count", "By page: looks at any page that came from it.", _CLICKS, additive=True),
    Figure(
        "exits", "count", "Looks at the page that no other came from: page_views less went_on, at least 0.",
        "page_views, went_on",
    ),
    Figure(
        "went_on_share", "share",
        "By page: went_on / page_views; over 1 where one look leads to several. By step: of the looks at the "
        "first page those that went on to the second; of entries, of all sessions.",
        "page_views, went_on",
    ),
)  # fmt: skip
NOT_TOLD: Final = "no look at a page tells what was looked at before (came_from)"
_BY_PAGE: Final = "known by page"
_NAMES: Final = tuple(figure.name for figure in FIGURES)


class _Step(NamedTuple):
    before: str
    page: str


def _steps(sums: Mapping[str, int]) -> dict[_Step, int]:
    found = {}
    for value, number in parts_of(sums, STEPS, "step").items():
        before, _, page = value.partition(TO)
        found[_Step(before, page)] = number
    return found


def _rows(_: Connection, asked: Asked) -> list[Row]:
    if asked.by is None or asked.by in TIME_DIMENSIONS:
        return by_time(asked, FIGURES, {}, _whole)
    held = counted(asked, FIGURES)
    if not isinstance(held, Counted):
        return [Row("whole", held)]
    steps, whole = _steps(held.sums), _whole(held)
    if not steps:
        return [Row("whole", whole)]
    by_step = asked.by == "step"
    values = _by_step(steps) if by_step else _by_page(steps)
    keys = _keys_of_steps(steps) if by_step else _keys_of_pages(steps)
    shown = keys[: asked.limit] if asked.keys is None else [one for one in asked.keys if one]
    rows = [Row("whole", whole), *(Row("part", values(one), one) for one in shown)]
    hidden = [one for one in keys if one not in shown]
    if hidden or asked.others or asked.keys is not None:
        rows.append(Row("others", _together([values(one) for one in hidden])))
    return rows


def _whole(held: Counted) -> dict[str, Value]:
    why = held.sent.lacks(CLICKS)
    if why:
        return dict.fromkeys(_NAMES, unknown(why))
    steps = _steps(held.sums)
    if not steps and _looks(held.sums):
        return dict.fromkeys(_NAMES, unknown(NOT_TOLD))
    entries = sum(number for step, number in steps.items() if step.before == ENTRY)
    return _figures(sum(steps.values()), entries, sum(steps.values()) - entries)


def _looks(sums: Mapping[str, int]) -> int:
    return sum(sums.get(SUMS[action], 0) for action in ("view", *LOOKS))


def _figures(page_views: int, entries: int, went_on: int) -> dict[str, Value]:
    return {
        "page_views": Value(page_views),
        "entries": Value(entries),
        "went_on": Value(went_on),
        "exits": Value(max(0, page_views - went_on)),
        "went_on_share": share(Value(went_on), Value(page_views), "nobody looked at it"),
    }


def _keys_of_pages(steps: Mapping[_Step, int]) -> list[str]:
    """Every kind of page that was looked at or came from, the most looked at first."""
    kinds = {step.page for step in steps} | {step.before for step in steps} - {ENTRY}
    return sorted(kinds, key=lambda kind: (-_views(steps, kind), kind))


def _views(steps: Mapping[_Step, int], kind: str) -> int:
    return sum(number for step, number in steps.items() if step.page == kind)


def _by_page(steps: Mapping[_Step, int]) -> Callable[[str], dict[str, Value]]:
    def values(kind: str) -> dict[str, Value]:
        went_on = sum(number for step, number in steps.items() if step.before == kind)
        return _figures(_views(steps, kind), steps.get(_Step(ENTRY, kind), 0), went_on)

    return values


def _keys_of_steps(steps: Mapping[_Step, int]) -> list[str]:
    ordered = sorted(steps, key=lambda step: (-steps[step], step))
    return [f"{step.before}{TO}{step.page}" for step in ordered]


def _by_step(steps: Mapping[_Step, int]) -> Callable[[str], dict[str, Value]]:
    entries = sum(number for step, number in steps.items() if step.before == ENTRY)

    def values(key: str) -> dict[str, Value]:
        before, _, page = key.partition(TO)
        number = steps.get(_Step(before, page), 0)
        of = entries if before == ENTRY else _views(steps, before)
        return {
            **dict.fromkeys(_NAMES, unknown(_BY_PAGE)),
            "page_views": Value(number),
            "entries": Value(number if before == ENTRY else 0),
            "went_on_share": share(
                Value(number), Value(of), "no look at the first page tells its own"
            ),
        }

    return values


def _together(parts: list[dict[str, Value]]) -> dict[str, Value]:
    """What adds up; shares do not."""
    found = {
        figure.name: Value(sum(int(part[figure.name].number or 0) for part in parts))
        if figure.additive
        else unknown("not of several together")
        for figure in FIGURES
    }
    for name in _NAMES:
        whys = [part[name].why for part in parts if part[name].number is None]
        if whys and found[name].number is not None:
            found[name] = unknown(whys[0] or "")
    return found


def _says(asked: Asked) -> tuple[str, ...]:
    """How fresh it is, and how many looks are in no path."""
    held = counted(asked, FIGURES)
    if not isinstance(held, Counted):
        return freshness(asked)
    looks = _looks(held.sums)
    untold = looks - sum(_steps(held.sums).values())
    if not untold or untold == looks:
        return freshness(asked)
    note = f"{untold:,} of {looks:,} looks at pages tell nothing of this and are in no figure."
    return (*freshness(asked), note)


REPORT = Report(
    "paths", "Browse paths", FIGURES, ("step", "page", *TIME_DIMENSIONS), _rows, by="step",
    notes=("A step is told by the look at its second page; none>home: the session began at home.",),
    says=_says, live=True,
)  # fmt: skip
