"""What a visitor and a customer know of orders as one's."""

from streams.domain.integrity.buyer import BuyerIntegrity, bound_marks, merge_buyers
from streams.domain.integrity.verdicts import review_verdicts
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState


def merge_integrity(
    state: CustomerState, visitor: BuyerIntegrity | None, settings: ShopSettings
) -> None:
    """Bring what ``visitor`` knows into ``state``, whose orders are those of both, and judge them all.

    The verdicts of both were taken back before.
    """
    if visitor is not None:
        state.integrity = state.integrity or BuyerIntegrity()
        merge_buyers(state.integrity, visitor)
    if state.integrity is not None and state.orders is not None and settings.brushing is not None:
        review_verdicts(state.integrity, state.orders, settings.brushing)
    if state.integrity is not None:
        bound_marks(state.integrity)
