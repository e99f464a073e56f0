"""The campaigns that ship as templates, and the schema beside them."""

import json
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from streams.authoring.files import SUFFIXES
from streams.campaigns.language.definition.schema import definition_schema
from streams.campaigns.language.problems import nearest

#: Beside the templates, and named in their first line: editors find it there.
SCHEMA_FILE: Final = "campaign.schema.json"
_NAMED: Final = re.compile(r"^campaign: .*$", re.MULTILINE)


class TemplateError(LookupError):
    """There is no template of this name; the message names one like it."""


class Template(NamedTuple):
    """``meaning`` is what its first comment says."""

    name: str
    meaning: str
    text: str


def templates() -> dict[str, Template]:
    """All of them by name, in order."""
    found = {}
    for file in sorted(_folder().iterdir(), key=lambda each: each.name):
        name, dot, suffix = file.name.rpartition(".")
        if dot + suffix in SUFFIXES:
            text = file.read_text(encoding="utf-8")
            _, meaning, *_ = text.splitlines()
            found[name] = Template(name, meaning.removeprefix("# "), text)
    return found


def from_template(name: str, campaign: str | None = None) -> str:
    """The text of a template, as a file of ``campaign``'s own. Raises TemplateError."""
    known = templates()
    if name not in known:
        guess = nearest(name, list(known))
        raise TemplateError(
            f"no template {name!r}{guess or ': huitou campaigns new --list shows all'}"
        )
    text = known[name].text
    return (
        text if campaign is None else _NAMED.sub(lambda _: f"campaign: {campaign}", text, count=1)
    )


def schema_text() -> str:
    """The JSON Schema as it ships."""
    return json.dumps(definition_schema(), ensure_ascii=False, indent=1) + "\n"


def _folder() -> Traversable:
    return files("streams.campaigns") / "templates"
