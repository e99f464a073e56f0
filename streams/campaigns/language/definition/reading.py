"""A definition from what was written, or all that is wrong with it."""

from typing import NamedTuple

from streams.campaigns.language.definition.checks import Parts, check
from streams.campaigns.language.definition.definition import DEFINITION, CampaignDefinition
from streams.campaigns.language.problems import Problem, Reader
from streams.campaigns.language.quantities.currency import DEFAULT, DIGITS
from streams.campaigns.language.tree import Fields, Node, Scalar, tree_of


class Read(NamedTuple):
    """``definition`` None: some of ``problems`` are errors. They stand in the order of the text."""

    definition: CampaignDefinition | None
    problems: tuple[Problem, ...]


def read_definition(node: Node) -> Read:
    """Never raises."""
    reader = Reader(_currency(node))
    found = DEFINITION.parts(node, "", reader)
    definition = None
    if found is not None:
        # Also where a field is wrong: what the others have to do with each other is told all the same.
        check(Parts.of(found), reader)
        definition = DEFINITION.whole(found, "", reader)
    problems = tuple(sorted(reader.problems))
    return Read(None if reader.has_errors() else definition, problems)


def read_json(value: object) -> Read:
    """The same of JSON, as ``canonical`` gives it."""
    return read_definition(tree_of(value))


def _currency(node: Node) -> str:
    """That which the definition names, wherever it stands among its fields: amounts are read by it."""
    if isinstance(node, Fields):
        for entry in node.entries:
            value = entry.value
            if entry.key.text == "currency" and isinstance(value, Scalar) and value.text in DIGITS:
                return value.text
    return DEFAULT
