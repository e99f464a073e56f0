"""Fields that hold one quantity, each by the parser of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from streams.campaigns.language.kinds.kind import Schema, scalar
from streams.campaigns.language.problems import Reader
from streams.campaigns.language.quantities import clock_span, duration, money, rate, share
from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.duration import LONGEST, SECOND, write_duration
from streams.campaigns.language.quantities.error import QuantityError
from streams.campaigns.language.quantities.rate import Rate
from streams.campaigns.language.tree import Node, Plain

T = TypeVar("T")


@dataclass(frozen=True)
class Quantity(Generic[T]):
    """One with a parser and a writer, both told the currency; ``numbers``: YAML may take it for one."""

    words: str
    pattern: str
    parse: Callable[[str, str], T]
    text: Callable[[T, str], str]
    numbers: bool = False
    #: Of a duration: the least and the most ms.
    bounds: tuple[int, int] | None = None

    def read(self, node: Node, path: str, reader: Reader) -> T | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        try:
            return self.parse(text, reader.currency)
        except QuantityError as error:
            reader.error(node.place, path, str(error))
            return None

    def write(self, value: T, currency: str) -> Plain:
        return self.text(value, currency)

    def schema(self) -> Schema:
        types: Any = ["string", "number"] if self.numbers else "string"
        # A number of YAML has to be allowed, where a pattern says nothing of it.
        return {"type": types, "pattern": self.pattern, **({"minimum": 0} if self.numbers else {})}


def Duration(least: int = SECOND, most: int = LONGEST) -> Quantity[int]:  # noqa: N802 - a kind
    """From ``least`` to ``most`` ms."""

    def parse(text: str, _: str) -> int:
        return duration.parse_duration(text, least, most)

    words = "a duration"
    if most < LONGEST:
        words = f"a duration from {write_duration(least)} to {write_duration(most)}"
    return Quantity(
        words,
        duration.PATTERN,
        parse,
        lambda value, _: write_duration(value),
        bounds=(least, most),
    )


#: Minor units of the campaign's currency, 0 or more.
MONEY = Quantity("an amount", money.PATTERN, money.parse_money, money.write_money, numbers=True)
#: Hundredths of a percent, 1 to 10,000.
SHARE = Quantity(
    "a percentage",
    share.PATTERN,
    lambda text, _: share.parse_share(text),
    lambda value, _: share.write_share(value),
    numbers=True,
)
SPAN: Quantity[ClockSpan] = Quantity(
    "a span of the day",
    clock_span.PATTERN,
    lambda text, _: clock_span.parse_clock_span(text),
    lambda value, _: clock_span.write_clock_span(value),
)
COUNT_RATE: Quantity[Rate] = Quantity(
    "a number in a time",
    rate.COUNT_PATTERN,
    lambda text, _: rate.parse_count_rate(text),
    lambda value, _: rate.write_count_rate(value),
)
MONEY_RATE: Quantity[Rate] = Quantity(
    "an amount in a time", rate.MONEY_PATTERN, rate.parse_money_rate, rate.write_money_rate
)
