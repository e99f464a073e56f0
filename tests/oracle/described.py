"""The oracle's figures as a folded state has them: by the names under which people are shown it.

The only module here that reads streams/: what the oracle itself expects must not follow from it.
"""

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from tests.oracle.expected import Figures


def described_figures(state: CustomerState) -> Figures:
    """What `huitou customer` prints of the state, to be compared with the oracle's own."""
    shown = describe(state, ShopSettings(state.shop_id))
    orders, actions = shown["orders"], shown["browsing"]["actions"]
    # When the stage changes by itself is compared apart: the oracle looks at every day to come.
    del shown["worth"]["lifecycle"]["changes_at"]
    return Figures(
        views=actions["view"],
        favourites=actions["favorite"],
        cart_adds=shown["cart"]["adds"],
        orders_paid=orders["paid"],
        orders_net=orders["net"],
        amount_paid=orders["paid_amount"],
        amount_refunded=orders["refunded_amount"] + orders["cancelled_amount"],
        reviews=shown["reviews"]["posted"],
        bad_reviews=shown["reviews"]["bad"],
        worth=shown["worth"],
    )
