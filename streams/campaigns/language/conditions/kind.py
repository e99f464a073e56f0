"""Conditions as a kind of field."""

from typing import Any, Final

from streams.campaigns.language.conditions.acts import ACTS
from streams.campaigns.language.conditions.condition import MOST_VALUES, OPERATORS, Condition
from streams.campaigns.language.conditions.doing import COUNTED, WINDOW
from streams.campaigns.language.conditions.reading import read_condition
from streams.campaigns.language.conditions.values import CAMPAIGN, NUMBERS, SKU, kind_of
from streams.campaigns.language.conditions.writing import write_condition
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.figures.figure import Figure
from streams.campaigns.language.kinds.kind import Schema
from streams.campaigns.language.problems import Reader
from streams.campaigns.language.tree import Node, Plain

#: Where the schema of a condition, which has conditions in it, stands in a document.
DEFINITION: Final = "condition"
_REFERENCE: Final = {"$ref": f"#/definitions/{DEFINITION}"}


class ConditionKind:
    """A condition over a customer's figures."""

    words = "a condition"

    def read(self, node: Node, path: str, reader: Reader) -> Condition | None:
        return read_condition(node, path, reader)

    def write(self, value: Condition, currency: str) -> Plain:
        return write_condition(value, currency)

    def schema(self) -> Schema:
        """A reference: the document must have ``condition_definitions`` under its definitions."""
        return dict(_REFERENCE)


def condition_definitions() -> dict[str, Schema]:
    """What ``ConditionKind`` refers to, by name: the condition, and the types of figures."""
    types: dict[str, Schema] = {
        figure.type: _tests(figure) for figure in FIGURES.values() if not figure.choices
    }
    return {DEFINITION: _condition(), **types}


def _condition() -> Schema:
    several = {"type": "array", "items": _REFERENCE, "minItems": 1}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "all": {"description": "All of these hold.", **several},
            "any": {"description": "At least one of these holds.", **several},
            "not": {"description": "This does not hold.", **_REFERENCE},
            "count": _count_schema(),
            "sequence": _sequence_schema(),
            **{name: _figure_schema(figure) for name, figure in FIGURES.items()},
        },
    }


def _figure_schema(figure: Figure) -> Schema:
    missing = f" Not known yet: {figure.missing}." if figure.missing else ""
    said = {"description": figure.meaning + missing}
    if figure.choices:
        return {**said, **_tests(figure)}
    # Draft 7 reads nothing beside a reference, hence the list of one.
    return {**said, "allOf": [{"$ref": f"#/definitions/{figure.type}"}]}


def _tests(figure: Figure) -> Schema:
    """What a figure of this type may be held against."""
    one = kind_of(figure).schema()
    operators = "|".join(OPERATORS) if figure.type in NUMBERS else "==|!="
    compared = {"type": "string", "pattern": f"^({operators}) ?[^ ]"}
    tests: list[Schema] = [one, compared]
    fields: dict[str, Any] = {"known": {"enum": [True, False, "true", "false"]}}
    if figure.type != "flag":
        values = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_VALUES}
        tests.append(values)
        fields["none_of"] = {"anyOf": [one, values]}
        if figure.type == "set":
            fields["all_of"] = {"anyOf": [one, values]}
    if figure.type in NUMBERS:
        fields["between"] = {"type": "array", "items": one, "minItems": 2, "maxItems": 2}
    tests.append(
        {
            "type": "object",
            "properties": fields,
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
    )
    return {"anyOf": tests}


def _act_fields(names: list[str]) -> dict[str, Any]:
    return {
        "act": {"enum": names},
        "sku": SKU.schema(),
        "source": {"enum": list(ACTS["come_by"].options)},
        "campaign": CAMPAIGN.schema(),
    }


def _count_schema() -> Schema:
    counted = [name for name, act in ACTS.items() if not act.last_only]
    return {
        "description": "How often something was done in the time before.",
        "type": "object",
        "properties": {
            **_act_fields(counted),
            "within": WINDOW.schema(),
            "is": {"type": ["string", "integer"], "pattern": COUNTED.pattern},
        },
        "required": ["act", "within", "is"],
        "additionalProperties": False,
    }


def _sequence_schema() -> Schema:
    act = {
        "type": "object",
        "properties": _act_fields(list(ACTS)),
        "required": ["act"],
        "additionalProperties": False,
    }
    return {
        "description": "Something that did, or did not, follow something else.",
        "type": "object",
        "properties": {
            "first": act,
            "then": act,
            "then_not": act,
            "within": WINDOW.schema(),
            "lately": WINDOW.schema(),
            "same": {"enum": ["product"]},
        },
        "required": ["first", "within", "lately"],
        "oneOf": [{"required": ["then"]}, {"required": ["then_not"]}],
        "additionalProperties": False,
    }
