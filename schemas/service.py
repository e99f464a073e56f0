"""shop.service: what customers ask and complain of, and what became of it, by case."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id, Text

ServiceAction = Literal["inquiry", "replied", "complaint", "resolved", "survey_answered"]
#: What a survey asked for, on the shop's own scale; 10 is as good as it gets.
Score = Annotated[int, msgspec.Meta(ge=0, le=10)]


class Service(Data):
    """``score`` is required for ``survey_answered``, ``case_id`` for all others (checked by
    schemas.requirements).
    """

    action: ServiceAction
    case_id: Id | None = None
    topic: Id | None = None
    text: Text | None = None
    score: Score | None = None
    order_id: Id | None = None


class ServiceEvent(Envelope, tag="shop.service.v1"):
    data: Service
