"""The kinds of the values that figures and acts are compared with, and what of a number can hold at all."""

from typing import Any, Final

from streams.campaigns.language.conditions.acts import Act
from streams.campaigns.language.conditions.condition import Operator
from streams.campaigns.language.figures.figure import Figure
from streams.campaigns.language.kinds.kind import Kind
from streams.campaigns.language.kinds.quantities import MONEY, Duration
from streams.campaigns.language.kinds.scalars import Choice, Flag, Text, Whole
from streams.campaigns.language.quantities.duration import write_duration
from streams.campaigns.language.quantities.money import write_money

#: Figure types that have an order.
NUMBERS: Final = frozenset({"count", "money", "duration"})
#: As schemas.envelope has ids; keywords are longer.
_TEXT: Final = Text(most=128)
_LEAST_COUNT: Final = 0
SKU: Final = Text("a sku")
CAMPAIGN: Final = Text("a campaign's name", 32, r"[A-Za-z0-9._-]{1,32}")


def kind_of(figure: Figure) -> Kind[Any]:
    """How one value of ``figure`` is written."""
    match figure.type:
        case "count":
            return Whole()
        case "money":
            return MONEY
        case "duration":
            return Duration(least=0)
        case "flag":
            return Flag()
        case _ if figure.choices:
            return Choice(figure.choices)
    return _TEXT


def kind_of_act(act: Act) -> Kind[str]:
    """How what ``act`` is of is written."""
    if act.options:
        return Choice(act.options)
    return CAMPAIGN if act.of == "campaign" else SKU


def said(figure: Figure, value: Any, currency: str) -> str:
    """A value of ``figure`` as people read it."""
    match figure.type:
        case "money":
            return f"{write_money(value, currency)} {currency}"
        case "duration":
            return write_duration(value)
        case "flag":
            return "true" if value else "false"
    return str(value)


def compares(operator: Operator, low: float, high: float, value: float) -> bool | None:
    """Whether any number from ``low`` to ``high`` is so to ``value``: all are, none is, or some (None)."""
    match operator:
        case ">=":
            return _all_or_none(low >= value, high < value)
        case ">":
            return _all_or_none(low > value, high <= value)
        case "<=":
            return _all_or_none(high <= value, low > value)
        case "<":
            return _all_or_none(high < value, low >= value)
        case "==":
            return _all_or_none(low == high == value, not low <= value <= high)
        case "!=":
            return _all_or_none(not low <= value <= high, low == high == value)


def _all_or_none(is_all: bool, is_none: bool) -> bool | None:
    return True if is_all else False if is_none else None
