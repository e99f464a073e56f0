"""Examples of every record, as they are on the wire: documentation that tests decode.

The examples of a released version stay as they are and must decode for ever; new fields come with
new examples. Each topic has a minimal one, with nothing but what is required.
"""

from typing import Final

from schemas.examples.campaigns import CAMPAIGN_EXAMPLES
from schemas.examples.catalogue import CATALOGUE_EXAMPLES
from schemas.examples.contact import CONTACT_EXAMPLES
from schemas.examples.customers import CUSTOMER_EXAMPLES
from schemas.examples.example import Example
from schemas.examples.internal import INTERNAL_EXAMPLES
from schemas.examples.stack import STACK_EXAMPLES

__all__ = ["EXAMPLES", "Example"]

EXAMPLES: Final = (
    *CUSTOMER_EXAMPLES,
    *CONTACT_EXAMPLES,
    *CATALOGUE_EXAMPLES,
    *STACK_EXAMPLES,
    *CAMPAIGN_EXAMPLES,
    *INTERNAL_EXAMPLES,
)
