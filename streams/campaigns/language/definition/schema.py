"""JSON Schema (draft 7) of a definition, for editors: completion, types, and what each field is for.

It takes whatever `huitou campaigns check` takes; what depends on several fields only the check sees.
"""

from typing import Final

from streams.campaigns.language.conditions.kind import condition_definitions
from streams.campaigns.language.definition.definition import DEFINITION
from streams.campaigns.language.kinds.kind import Schema

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"


def definition_schema() -> Schema:
    """The whole document."""
    return {
        "$schema": _DIALECT,
        "title": "A campaign of huitou",
        **DEFINITION.schema(),
        "definitions": condition_definitions(),
    }
