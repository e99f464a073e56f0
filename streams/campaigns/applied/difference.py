"""What differs between two definitions, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec


class Difference(NamedTuple):
    """``field`` as ``offer.coupon.percent``; None: it is not there."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.before)} -> {_shown(self.after)}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Of two canonical forms (``canonical``), in the order of the fields; without effective_from.

    A list is one value: of a condition's parts and of channels the whole is told.
    """
    old, new = dict(_fields(before)), dict(_fields(after))
    names = [*old, *(name for name in new if name not in old)]
    return [
        Difference(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name) and name != "effective_from"
    ]


def _fields(part: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if isinstance(value, Mapping) and value:
            yield from _fields(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _shown(value: Any) -> str:
    return "(none)" if value is None else msgspec.json.encode(value).decode()
