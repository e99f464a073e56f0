"""Fields within fields: structs whose annotations say how each field is written, and what it is for.

A struct is declared once: ``Annotated[int, Field(Duration(), "How long ...", "30m")]``. Reading, writing,
JSON Schema and the documentation follow from that.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec

from streams.campaigns.language.kinds.kind import Kind, Schema
from streams.campaigns.language.problems import Reader, joined, nearest
from streams.campaigns.language.tree import Entry, Fields, Node, Plain, Scalar, words_for

S = TypeVar("S", bound=msgspec.Struct)


class Field(NamedTuple):
    """How a field is written, what it says, and an example in YAML."""

    kind: Kind[Any]
    meaning: str
    example: str


class Declared(NamedTuple):
    """A field of a struct; ``default`` is NODEFAULT where it must be there."""

    field: Field
    default: Any

    @property
    def is_required(self) -> bool:
        return self.default is msgspec.NODEFAULT


def declared(struct: type[msgspec.Struct]) -> dict[str, Declared]:
    """The fields of ``struct``, in their order. Raises TypeError for one that has no Field."""
    hints = get_type_hints(struct, include_extras=True)
    found = {}
    for info in msgspec.structs.fields(struct):
        field = next(
            (each for each in _annotations(hints[info.name]) if isinstance(each, Field)), None
        )
        if field is None:
            raise TypeError(f"{struct.__name__}.{info.name} does not say how it is written")
        default = info.default
        if info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        found[info.encode_name] = Declared(field, default)
    return found


def _annotations(hint: Any) -> tuple[Any, ...]:
    return hint.__metadata__ if hasattr(hint, "__metadata__") else ()


class Record(Generic[S]):
    """A struct, as its fields; ``check`` looks at it once all fields are right.

    ``words`` is what a sentence calls it.
    """

    def __init__(
        self,
        struct: type[S],
        words: str = "fields",
        check: Callable[[S, str, Reader], None] | None = None,
    ) -> None:
        self.struct = struct
        self.words = words
        self.fields = declared(struct)
        self._check = check

    @property
    def may_be_empty(self) -> bool:
        return not any(each.is_required for each in self.fields.values())

    def read(self, node: Node, path: str, reader: Reader) -> S | None:
        parts = self.parts(node, path, reader)
        return None if parts is None else self.whole(parts, path, reader)

    def parts(self, node: Node, path: str, reader: Reader) -> dict[str, Any] | None:
        """What each field that is there comes to, None where it is wrong; None: there are no fields."""
        reader.places.setdefault(path, node.place)
        match node:
            case Fields():
                entries = node.entries
            case Scalar(text="", quoted=False) if self.may_be_empty:
                entries = ()
            case _:
                names = ", ".join(self.fields) or "none"
                reader.error(
                    node.place, path, f"here must be {self.words} ({names}), not {words_for(node)}"
                )
                return None
        values = self._values(entries, path, reader)
        for name, each in self.fields.items():
            if each.is_required and name not in values:
                reader.error(
                    node.place,
                    joined(path, name),
                    f"{name} must be there, as {name}: {each.field.example}",
                )
                values[name] = None
        return values

    def whole(self, parts: dict[str, Any], path: str, reader: Reader) -> S | None:
        """The struct of ``parts``; None where one is wrong, or they do not go together."""
        if any(value is None for value in parts.values()):
            return None
        found = self.struct(**parts)
        if self._check is not None:
            before = len(reader.problems)
            self._check(found, path, reader)
            if any(problem.severity == "error" for problem in reader.problems[before:]):
                return None
        return found

    def _values(self, entries: tuple[Entry, ...], path: str, reader: Reader) -> dict[str, Any]:
        """The values by name; None of those that are wrong, which keeps the whole from being made."""
        values: dict[str, Any] = {}
        for entry in entries:
            name = entry.key.text
            at = joined(path, name)
            if name not in self.fields:
                guess = "" if reader.is_full else nearest(name, list(self.fields))
                reader.error(entry.key.place, at, f"no field {name!r}{guess}")
                values[name] = None
            elif name in values:
                reader.error(entry.key.place, at, f"{name!r} is there twice")
                values[name] = None
            else:
                reader.places.setdefault(at, entry.value.place)
                values[name] = self.fields[name].field.kind.read(entry.value, at, reader)
        return values

    def write(self, value: S, currency: str) -> Plain:
        """All fields but those that are None, defaults too: what a default is may change with a build."""
        found: dict[str, Plain] = {}
        for name, each in self.fields.items():
            part = getattr(value, name)
            if part is not None:
                found[name] = each.field.kind.write(part, currency)
        return found

    def schema(self) -> Schema:
        properties: dict[str, Any] = {
            name: {"description": each.field.meaning, **each.field.kind.schema()}
            for name, each in self.fields.items()
        }
        required = [name for name, each in self.fields.items() if each.is_required]
        return {
            "type": "object" if required else ["object", "null"],
            "properties": properties,
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


class OneOf:
    """Exactly one of several records, by its name; one without required fields may be its name alone."""

    def __init__(self, records: Mapping[str, Record[Any]], words: str) -> None:
        self.records = dict(records)
        self.words = words
        self._names = {record.struct: name for name, record in self.records.items()}

    def name_of(self, value: msgspec.Struct) -> str:
        return self._names[type(value)]

    def read(self, node: Node, path: str, reader: Reader) -> Any:
        reader.places.setdefault(path, node.place)
        match node:
            case Scalar() if node.text:
                entry = Entry(node, Scalar("", node.place))
            case Fields(entries=(entry,)):
                pass
            case Fields():
                count = len(node.entries)
                reader.error(node.place, path, f"here must be one {self.words}, not {count}")
                return None
            case _:
                reader.error(
                    node.place, path, f"here must be one {self.words}, not {words_for(node)}"
                )
                return None
        name = entry.key.text
        record = self.records.get(name)
        if record is None:
            guess = nearest(name, list(self.records))
            reader.error(entry.key.place, joined(path, name), f"no {self.words} {name!r}{guess}")
            return None
        return record.read(entry.value, joined(path, name), reader)

    def write(self, value: Any, currency: str) -> Plain:
        name = self._names[type(value)]
        return {name: self.records[name].write(value, currency)}

    def schema(self) -> Schema:
        alone = [name for name, record in self.records.items() if record.may_be_empty]
        properties = {
            name: {"description": _first_line(record.struct), **record.schema()}
            for name, record in self.records.items()
        }
        one = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"anyOf": [{"enum": alone}, one]} if alone else one


def _first_line(struct: type[msgspec.Struct]) -> str:
    return (struct.__doc__ or "").strip().splitlines()[0]
