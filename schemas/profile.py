"""shop.profiles: what customers say of themselves, what they agree to, and their erasure."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id

ProfileAction = Literal["updated", "consent", "joined_membership", "alias", "erase"]
Gender = Literal["female", "male", "other"]
#: Ways to reach a customer, each with a consent of its own.
ContactChannel = Literal["app_push", "sms", "email", "chat", "miniapp"]
#: Tags of one event; more is a dead letter.
TAGS = 20


class Profile(Data):
    """``consent`` is required for ``consent``, ``alias_of`` for ``alias`` (checked by
    schemas.requirements). An ``alias`` is keyed by the anonymous id, ``alias_of`` names the customer.
    """

    action: ProfileAction
    birthday: date | None = None
    gender: Gender | None = None
    age_band: Id | None = None
    income_band: Id | None = None
    education: Id | None = None
    region: Id | None = None
    #: All of them; absent: nothing is said of tags.
    tags: Annotated[list[Id], msgspec.Meta(max_length=TAGS)] | None = None
    consent: dict[ContactChannel, bool] | None = None
    alias_of: Id | None = None


class ProfileEvent(Envelope, tag="shop.profile.v1"):
    """Raises ValueError (reading it: msgspec.ValidationError) for an alias of the subject itself."""

    data: Profile

    def __post_init__(self) -> None:
        if self.data.action == "alias" and self.data.alias_of == self.subject:
            raise ValueError("an alias of the subject itself hands nothing over: alias_of")
