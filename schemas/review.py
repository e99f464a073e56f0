"""shop.reviews: what customers say of what they bought."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id, Text

ReviewAction = Literal["posted", "appended", "shown", "removed", "replied"]


class Review(Data):
    """``rating`` (1-5) is required for ``posted`` (checked by schemas.requirements)."""

    action: ReviewAction
    order_id: Id
    sku: Id
    rating: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    text: Text | None = None
    photos: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class ReviewEvent(Envelope, tag="shop.review.v1"):
    data: Review
