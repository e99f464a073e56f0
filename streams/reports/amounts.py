"""Money and shares as values: several currencies are never added, and what is not known says why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, case, or_

from streams.reports.model import Asked, Figure, Number, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sums import Parts, Raw, exact_sum, summed

#: A share's decimal places.
_PLACES: Final = 6


def count(number: int) -> Value:
    return Value(number)


def unknown(why: str) -> Value:
    return Value(None, why)


def codes(asked: Asked) -> list[str | None]:
    """The currencies that the shop has had, in order of their names; [None]: they are not known."""
    return [*sorted({span.currency for span in asked.currencies})] or [None]


def money_columns(
    name: str, of: ColumnElement[Any], time: ColumnElement[int], asked: Asked
) -> list[ColumnElement[Any]]:
    """Columns for ``money_of``: a sum a currency, by the currency that was the shop's at ``time``."""
    every = codes(asked)
    if len(every) == 1:
        return exact_sum(f"{name}_0", of)
    return [
        column
        for number, code in enumerate(every)
        for column in exact_sum(f"{name}_{number}", case((_in_currency(time, asked, code), of)))
    ]


def _in_currency(time: ColumnElement[int], asked: Asked, code: str | None) -> ColumnElement[bool]:
    since: int | None = None
    ranges = []
    for span in asked.currencies:
        if span.currency == code:
            after = time >= since if since is not None else time.is_not(None)
            ranges.append(and_(after, time < span.until_ms))
        since = span.until_ms
    return or_(*ranges)


def money_of(
    raw: Raw, name: str, asked: Asked, *, lacking: int = 0, of: int = 0, what: str = "orders"
) -> Value:
    """The sum of ``money_columns``. ``lacking`` of ``of`` orders tell no amount, so it is not known."""
    sums = {code: summed(raw, f"{name}_{at}") for at, code in enumerate(codes(asked))}
    used = {code: total for code, total in sums.items() if total} if len(sums) > 1 else sums
    if len(used) > 1:
        by_currency = {str(code): total for code, total in used.items()}
        why = "several currencies, which are not added together"
        if lacking:
            why += f"; {lacking:,} of {of:,} {what} tell no amount"
        return Value(None, why, None, by_currency)
    total = sum(used.values())
    code = next(iter(used), None)
    if lacking:
        why = f"{lacking:,} of {of:,} {what} tell no amount"
        return Value(None, why, total, None, code)
    return Value(total, currency=code)


def average(total: Value, of: int, what: str) -> Value:
    """``total`` (minor units) for each of ``of``, rounded half up to a minor unit."""
    if total.number is None:
        return unknown(total.why or "")
    if not of:
        return unknown(f"no {what}")
    return Value((2 * int(total.number) + of) // (2 * of), currency=total.currency)


def share(part: Value, whole: Value, none: str) -> Value:
    """``part`` / ``whole``; ``none`` says why there is none where the whole is 0."""
    if part.number is None or whole.number is None:
        return unknown(part.why or whole.why or "")
    if not whole.number:
        return unknown(none)
    if differ(part, whole):
        return unknown(f"{part.currency} and {whole.currency} make no share")
    return Value(round(part.number / whole.number, _PLACES))


def differ(one: Value, other: Value) -> bool:
    """Whether these are of two currencies; a sum of 0 may have none."""
    return None not in (one.currency, other.currency) and one.currency != other.currency


def withheld(values: Mapping[str, Value], figures: Iterable[Figure], why: str) -> dict[str, Value]:
    """All values unknown for one reason; of sums what is known stays, as the least that it may be."""
    additive = {figure.name for figure in figures if figure.additive}
    return {
        name: Value(None, why, _least(value) if name in additive else None)
        for name, value in values.items()
    }


def _least(value: Value) -> Number | None:
    return value.at_least if value.number is None else value.number


def rows_of(
    asked: Asked,
    parts: Parts,
    figures: Sequence[Figure],
    values: Callable[[Raw], dict[str, Value]],
) -> list[Row]:
    """The rows of ``parts``; ``values`` gives the figures of a raw."""
    times: dict[str, int] = {}
    if asked.by in TIME_DIMENSIONS:
        times = {one.name: one.since_ms for one in asked.period.buckets(asked.by)}

    def row(kind: Literal["whole", "part", "others"], raw: Raw, key: str | None = None) -> Row:
        why = asked.reason(times.get(key or "", asked.period.since_ms))
        found = values(raw)
        return Row(kind, withheld(found, figures, why) if why else found, key)

    shown = [row("part", raw, key) for key, raw in parts.parts]
    others = [] if parts.others is None else [row("others", parts.others)]
    return [row("whole", parts.whole), *shown, *others]
