"""The generated parts of docs/campaigns.md: fields, triggers, figures, acts and templates.

A part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; what is around is written by hand.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from streams.authoring.templates import templates
from streams.campaigns.language.conditions.acts import ACTS, LONGEST_WINDOW, REFUSED
from streams.campaigns.language.conditions.asking import TESTS
from streams.campaigns.language.definition.definition import DEFINITION
from streams.campaigns.language.definition.triggers import TRIGGER
from streams.campaigns.language.figures.catalogue import GROUPS
from streams.campaigns.language.figures.figure import Figure
from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.record import Declared, Record
from streams.campaigns.language.quantities.duration import write_duration
from streams.campaigns.language.tree import Plain

_PART: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
#: A choice of more than these is not listed: currencies.
_LISTED: Final = 20


class DocumentError(ValueError):
    """The page has a part that nobody generates, or lacks one."""


def with_parts(page: str) -> str:
    """``page`` with every generated part as it is now. Raises DocumentError."""
    named = [match[2] for match in _PART.finditer(page)]
    if sorted(named) != sorted(_PARTS):
        raise DocumentError(f"the page has the parts {named}, there are {list(_PARTS)}")
    return _PART.sub(lambda match: f"{match[1]}\n{_PARTS[match[2]]()}\n{match[3]}", page)


def _fields() -> str:
    """Every field of a definition but the triggers', a table for each level."""
    return "\n".join(
        f"### {title}\n\n{_intro(record)}{_table(record)}"
        for title, record in _records("A campaign", DEFINITION)
    )


def _records(title: str, record: Record[Any]) -> list[tuple[str, Record[Any]]]:
    found = [(title, record)]
    for name, each in record.fields.items():
        kind: Any = each.field.kind
        inner = kind.of if isinstance(kind, ListOf) else kind
        if isinstance(inner, Record) and inner not in [known for _, known in found]:
            found += _records(
                f"`{name}`" if record is DEFINITION else f"`{name}` of {title}", inner
            )
    return [one for at, one in enumerate(found) if one[1] not in [known for _, known in found[:at]]]


def _intro(record: Record[Any]) -> str:
    said = " ".join((record.struct.__doc__ or "").split())
    own = record is not DEFINITION and bool(said)
    return f"{said}\n\n" if own else ""


_COLUMNS: Final = (
    "| field | what it says | how it is written | example | without it |\n|---|---|---|---|---|\n"
)


def _table(record: Record[Any]) -> str:
    return _COLUMNS + "".join(_row(name, each) for name, each in record.fields.items())


def _row(name: str, each: Declared) -> str:
    field = each.field
    example = _code(f"{name}: {field.example}")
    said, written = _cell(field.meaning), _cell(_words(field.kind))
    return f"| `{name}` | {said} | {written} | {example} | {_default(each)} |\n"


def _words(kind: Any) -> str:
    options = getattr(getattr(kind, "of", kind), "options", ())
    if len(options) > _LISTED:
        return "an ISO 4217 code"
    if isinstance(kind, Record):
        return "fields"
    return str(kind.words)


def _default(each: Declared) -> str:
    if each.is_required:
        return "refused"
    if each.default is None:
        return "nothing"
    written: Plain = each.field.kind.write(each.default, "CNY")
    if isinstance(written, list):
        return _code(f"[{', '.join(map(str, written))}]")
    return _code(str(written).lower() if isinstance(written, bool) else str(written))


def _triggers() -> str:
    parts = []
    for name, record in TRIGGER.records.items():
        struct = record.struct
        told = f"Told by {struct.told}." if struct.told else f"**Not told yet**: {struct.missing}."
        said = " ".join((struct.__doc__ or "").split())
        table = f"\n{_table(record)}" if record.fields else ""
        parts.append(f"### `{name}`\n\n{said} {told}\n{table}")
    return "\n".join(parts)


def _tests() -> str:
    return "".join(f"- `{name}`: {meaning}\n" for name, meaning in TESTS.items())


def _figures() -> str:
    parts = []
    for title, group in GROUPS.items():
        rows = "".join(map(_figure, group))
        parts.append(
            f"### {title}\n\n| figure | type | meaning | example |\n|---|---|---|---|\n{rows}"
        )
    return "\n".join(parts)


def _figure(figure: Figure) -> str:
    kind: str = figure.type
    if figure.choices:
        kind += f": {', '.join(figure.choices)}"
    elif figure.bounds:
        kind += f": {figure.bounds[0]} to {figure.bounds[1]}"
    elif figure.unit:
        kind += f", {figure.unit}"
    meaning = figure.meaning
    if figure.missing:
        meaning += f" **Not known yet**: {figure.missing}."
    example = _code(f"{figure.name}: {figure.example}")
    return f"| `{figure.name}` | {_cell(kind)} | {_cell(meaning)} | {example} |\n"


def _acts() -> str:
    rows = ""
    for act in ACTS.values():
        of = f"`{act.of}`{'' if act.needs_of else ', or none'}" if act.of else "-"
        counted = "no: the last time only" if act.last_only else "yes"
        back = write_duration(act.most) if act.most < LONGEST_WINDOW else "-"
        rows += f"| `{act.name}` | {_cell(act.meaning)} | {of} | {counted} | {back} |\n"
    refused = "".join(f"- `{name}`: {why}.\n" for name, why in REFUSED.items())
    return (
        "| act | meaning | of | counted | kept for |\n|---|---|---|---|---|\n"
        f"{rows}\nRefused, with the reason:\n\n{refused}"
    )


def _templates() -> str:
    return "".join(f"- `{each.name}`: {each.meaning}\n" for each in templates().values())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


_PARTS: Final[dict[str, Callable[[], str]]] = {
    "tests": _tests,
    "fields": _fields,
    "triggers": _triggers,
    "figures": _figures,
    "acts": _acts,
    "templates": _templates,
}
