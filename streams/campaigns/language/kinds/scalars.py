"""Fields that hold one word, number or moment."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streams.campaigns.language.kinds.kind import Schema, scalar
from streams.campaigns.language.problems import Reader, nearest
from streams.campaigns.language.tree import Node, Plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class Whole:
    """A whole number from ``least`` to ``most``."""

    least: int = 0
    most: int = 1_000_000_000_000

    @property
    def words(self) -> str:
        return f"a whole number from {self.least:,} to {self.most:,}"

    def read(self, node: Node, path: str, reader: Reader) -> int | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        if _WHOLE.fullmatch(text) is None or not self.least <= int(text) <= self.most:
            reader.error(node.place, path, f"{text!r} is not {self.words}")
            return None
        return int(text)

    def write(self, value: int, _: str) -> Plain:
        return value

    def schema(self) -> Schema:
        return {
            "type": ["integer", "string"],
            "pattern": r"^-?[0-9]{1,18}$",
            "minimum": self.least,
            "maximum": self.most,
        }


@dataclass(frozen=True)
class Choice:
    """One of ``options``."""

    options: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.options)}"

    def read(self, node: Node, path: str, reader: Reader) -> str | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        if text not in self.options:
            guess = nearest(text, list(self.options))
            reader.error(node.place, path, f"{text!r} is not known here{guess}")
            return None
        return text

    def write(self, value: str, _: str) -> Plain:
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.options)}


@dataclass(frozen=True)
class Text:
    """A text of one line and at most ``most`` characters that ``pattern`` fits, which ``words`` explain."""

    words: str = "a text"
    most: int = 64
    pattern: str | None = None

    def read(self, node: Node, path: str, reader: Reader) -> str | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        wrong = None
        if len(text) > self.most:
            wrong = f"has {len(text)} characters: at most {self.most} are allowed"
        elif not text.isprintable():
            wrong = "has characters that cannot be shown: write it on one line"
        elif self.pattern is not None and re.fullmatch(self.pattern, text) is None:
            wrong = f"is not {self.words}"
        if wrong is not None:
            shown = text if len(text) <= self.most else f"{text[: self.most]}..."
            reader.error(node.place, path, f"{shown!r} {wrong}")
            return None
        return text

    def write(self, value: str, _: str) -> Plain:
        return value

    def schema(self) -> Schema:
        # What YAML takes for a number, as a sku of digits only, is a text to huitou.
        schema: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
        if self.pattern is not None:
            return {**schema, "pattern": f"^(?:{self.pattern})$"}
        return {**schema, "maxLength": self.most + _SPACES}


#: Spaces around a text do not count, but in the schema they do.
_SPACES = 64


@dataclass(frozen=True)
class Flag:
    """true or false."""

    words: str = "true or false"

    def read(self, node: Node, path: str, reader: Reader) -> bool | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        if text not in ("true", "false"):
            reader.error(node.place, path, f"{text!r} is not {self.words}")
            return None
        return text == "true"

    def write(self, value: bool, _: str) -> Plain:
        return value

    def schema(self) -> Schema:
        return {"enum": [True, False, "true", "false"]}


@dataclass(frozen=True)
class Moment:
    """A moment with its zone, in whole seconds; ms since 1970."""

    words: str = "a moment with its time zone, as 2026-11-10T20:00:00+08:00"

    def read(self, node: Node, path: str, reader: Reader) -> int | None:
        text = scalar(node, path, reader, self.words)
        if text is None:
            return None
        if _MOMENT.fullmatch(text) is not None:
            try:
                since = datetime.fromisoformat(text) - _EPOCH
            except (ValueError, OverflowError):
                since = None
            if since is not None and timedelta(0) <= since < _LATEST:
                return since // timedelta(milliseconds=1)
        reader.error(node.place, path, f"{text!r} is not {self.words}")
        return None

    def write(self, value: int, _: str) -> Plain:
        moment = _EPOCH + timedelta(milliseconds=value)
        return moment.isoformat().replace("+00:00", "Z")

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_MOMENT.pattern}$"}


_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
#: Until the year 2200.
_LATEST = datetime(2200, 1, 1, tzinfo=UTC) - _EPOCH
