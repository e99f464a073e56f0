"""Examples of every record, as they are on the wire: documentation that tests decode.

The examples of a released version stay as they are and must decode for ever; new fields come with
new examples. Each topic has a minimal one, with nothing but what is required.
"""

import json
from typing import Final

from schemas.catalogue import Topic
from schemas.envelope import Envelope
from schemas.examples.campaigns import CAMPAIGN_EXAMPLES
from schemas.examples.catalogue import CATALOGUE_EXAMPLES
from schemas.examples.contact import CONTACT_EXAMPLES
from schemas.examples.customers import CUSTOMER_EXAMPLES
from schemas.examples.example import Example
from schemas.examples.internal import INTERNAL_EXAMPLES
from schemas.examples.stack import STACK_EXAMPLES

__all__ = ["EXAMPLES", "Example", "examples_of"]

EXAMPLES: Final = (
    *CUSTOMER_EXAMPLES,
    *CONTACT_EXAMPLES,
    *CATALOGUE_EXAMPLES,
    *STACK_EXAMPLES,
    *CAMPAIGN_EXAMPLES,
    *INTERNAL_EXAMPLES,
)


def examples_of(topic: Topic, event: type[Envelope]) -> list[Example]:
    """The examples of one of the types that a topic has, the minimal one first."""
    own = [example for example in EXAMPLES if example.topic == topic.name]
    if not topic.also:
        return own
    kind = event.__struct_config__.tag
    return [example for example in own if json.loads(example.value)["type"] == kind]
