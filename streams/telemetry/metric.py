"""What a metric is: its name as it is scraped, kind, unit, labels and meaning."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

#: What one of a metric is. Prometheus's base units; things that are counted are named.
Unit = Literal[
    "seconds", "seconds since 1970", "bytes", "1",
    "attempts", "commits", "definitions", "event ids", "failures", "file descriptors", "offers",
    "partitions", "records", "states", "timers", "transactions", "triggers",
]  # fmt: skip

#: What the names of those that are measured end in, before a counter's ``_total``.
_SUFFIXES: Final[dict[str, str]] = {
    "seconds": "_seconds",
    "seconds since 1970": "_seconds",
    "bytes": "_bytes",
}
#: Labels that would give each customer, product, order or coupon code a series of its own.
FORBIDDEN_LABELS: Final = frozenset(
    {"customer", "customer_id", "product", "sku", "order", "order_id", "code", "coupon", "event_id"}
)


@dataclass(frozen=True, slots=True)
class Label:
    """``values``: all there are; empty where ``meaning`` says what they are, and so what bounds them."""

    name: str
    meaning: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``name`` is what a query asks for, with a counter's ``_total``, without ``_bucket``.

    ``edges`` are the upper bounds of a histogram's buckets, rising, without infinity. Raises ValueError
    for a definition that contradicts itself: nothing with one can be imported.
    """

    name: str
    kind: Kind
    unit: Unit
    meaning: str
    labels: tuple[Label, ...] = ()
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        suffix = _SUFFIXES.get(self.unit, "") + ("_total" if self.kind == "counter" else "")
        if not re.fullmatch(r"[a-z]+(_[a-z]+)+", self.name) or not self.name.endswith(suffix):
            raise ValueError(
                f"{self.name}: words of small letters, ending in {suffix or 'any word'}"
            )
        if self.kind != "counter" and self.name.endswith("_total"):
            raise ValueError(f"{self.name}: only counters end in _total")
        if (self.kind == "histogram") != bool(self.edges) or list(self.edges) != sorted(self.edges):
            raise ValueError(f"{self.name}: a histogram, and nothing else, has rising edges")
        if bad := FORBIDDEN_LABELS & set(self.label_names):
            raise ValueError(f"{self.name}: a series for each {', '.join(sorted(bad))}")

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query can ask for."""
        if self.kind == "histogram":
            return tuple(self.name + part for part in ("_bucket", "_sum", "_count"))
        return (self.name,)
