"""YAML text to a tree with places, and all that a campaign's file does not need refused.

Read event by event, without constructing anything: a scalar stays the text that was written, so 99.00 is no
float, 22:00 no number of base 60, and `no` no truth value. Anchors, tags and several documents are refused;
nothing recurses, so no nesting exhausts a stack.
"""

import re
from typing import Final

import yaml
from yaml import events

from schemas.envelope import BODY_BYTES
from streams.campaigns.language.problems import Problem
from streams.campaigns.language.tree import Entry, Fields, Items, Node, Place, Scalar

#: A definition travels as a record, which has at most so many bytes.
MOST_BYTES: Final = BODY_BYTES
#: Lists and fields within each other.
MOST_DEPTH: Final = 32
#: Plain scalars that stand for nothing.
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_NO_START: Final = re.compile(r"found character '([^\\])' that cannot start")
#: What people write without quotes, and how YAML takes it.
_HINTS: Final = (
    ("chomping or indentation", 'a value that begins with > needs quotes, as ">=3"'),
    ("but got '?'", 'a text with ? within {} or [] needs quotes, as "Still there?"'),
    ("found character '\\t'", "indent by spaces, not by tabs"),
)
_TAG: Final = 'a value that begins with ! needs quotes, as "!=gold"'


class YamlError(ValueError):
    """A text is no YAML, or has what a campaign's file may not have; ``problem`` says where and what."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(place, "", message)


class _Open:
    """A list, or fields, that has not ended yet."""

    def __init__(self, is_fields: bool, place: Place) -> None:
        self.is_fields = is_fields
        self.place = place
        self.items: list[Node] = []
        self.entries: list[Entry] = []
        self.key: Scalar | None = None

    def add(self, node: Node) -> None:
        if not self.is_fields:
            self.items.append(node)
        elif self.key is not None:
            self.entries.append(Entry(self.key, node))
            self.key = None
        elif isinstance(node, Scalar):
            self.key = node
        else:
            raise YamlError(node.place, "a field's name is a word, not a list or fields")

    def closed(self) -> Node:
        if self.is_fields:
            return Fields(tuple(self.entries), self.place)
        return Items(tuple(self.items), self.place)


def yaml_tree(data: bytes) -> Node:
    """The tree of one YAML document in UTF-8. Raises YamlError."""
    if len(data) > MOST_BYTES:
        raise YamlError(
            Place(1, 1), f"{len(data):,} bytes: a campaign's file has at most {MOST_BYTES:,}"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise YamlError(Place(line, column), f"no UTF-8: byte {data[error.start]:#04x}") from None
    try:
        return _built(text)
    except yaml.MarkedYAMLError as error:
        raise _said(error) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        raise YamlError(
            place, f"a character that YAML does not have: {error.character!r}"
        ) from None


def _built(text: str) -> Node:
    root: Node | None = None
    open_: list[_Open] = []
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        place = _place(event)
        node: Node
        match event:
            case events.DocumentStartEvent() if root is not None:
                raise YamlError(place, "a second document: write one campaign a file")
            case events.AliasEvent():
                raise YamlError(place, f"an alias (*{event.anchor}): write it out")
            case events.ScalarEvent():
                _refuse_extras(event, place)
                quoted = event.style is not None
                nothing = not quoted and event.value in _NOTHING
                node = Scalar("" if nothing else event.value, place, quoted)
            case events.CollectionStartEvent():
                _refuse_extras(event, place)
                if len(open_) >= MOST_DEPTH:
                    raise YamlError(
                        place, f"more than {MOST_DEPTH} lists and fields within each other"
                    )
                open_.append(_Open(isinstance(event, events.MappingStartEvent), place))
                continue
            case events.CollectionEndEvent():
                node = open_.pop().closed()
            case _:
                continue
        if open_:
            open_[-1].add(node)
        else:
            root = node
    if root is None:
        raise YamlError(Place(1, 1), "an empty file: huitou campaigns new writes one to begin with")
    return root


def _refuse_extras(event: events.ScalarEvent | events.CollectionStartEvent, place: Place) -> None:
    if event.anchor is not None:
        raise YamlError(place, f"an anchor (&{event.anchor}): write it out where it is needed")
    if event.tag is not None:
        raise YamlError(place, f"a tag ({event.tag}): {_TAG}")


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _said(error: yaml.MarkedYAMLError) -> YamlError:
    mark = error.problem_mark or error.context_mark
    place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
    said = " ".join(part for part in (error.context, error.problem) if part)
    hint = next((hint for part, hint in _HINTS if part in said), "")
    if match := _NO_START.search(said):
        hint = f'a value that begins with {match[1]} needs quotes, as "{match[1]}3"'
    return YamlError(place, f"no YAML: {said}{f' - {hint}' if hint else ''}")
