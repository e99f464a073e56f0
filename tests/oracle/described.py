"""The oracle's figures as a folded state has them: by the names under which people are shown it.

The only module here that reads streams/: what the oracle itself expects must not follow from it.
"""

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from tests.oracle.contact import Shown
from tests.oracle.expected import Figures


def described_figures(state: CustomerState) -> Figures:
    """What `huitou customer` prints of the state, to be compared with the oracle's own."""
    shown = describe(state, ShopSettings(state.shop_id))
    orders, actions = shown["orders"], shown["browsing"]["actions"]
    # When the stage changes by itself is compared apart: the oracle looks at every day to come.
    if shown["worth"] is not None:
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
        service=_without("open_cases", shown["service"]),
        wishes=_without("recent", shown["wishes"]),
        profile=shown["profile"],
        erased_at=shown["erased_at"],
    )


def described_lists(state: CustomerState) -> tuple[list[Shown], list[Shown]]:
    """The open cases and the wishes that are kept, as the oracle has them."""
    shown = describe(state, ShopSettings(state.shop_id))
    wishes = [
        {**wish, "likes_by_device": sorted(wish["likes_by_device"].values())}
        for wish in shown["wishes"]["recent"]
    ]
    cases = shown["service"]["open_cases"]
    return sorted(cases, key=_case_id), sorted(wishes, key=_wish_id)


def described_interests(state: CustomerState, now: int) -> Shown:
    """What is shown of the customer's interests at ``now`` (ms), as tests.oracle.interests has it."""
    shown = describe(state, ShopSettings(state.shop_id), now)["browsing"]
    preferences, shares = shown["preferences"], shown["shares"]
    return {
        "categories": {each["category"]: each["weight"] for each in preferences["categories"]},
        "bands": {str(each["from"]): each["weight"] for each in preferences["price"]["bands"]},
        "keywords": {each["keyword"]: each["weight"] for each in shown["keywords"]},
        "favorites": [(each["sku"], each["at"]) for each in shown["favorites"]],
        "products": {each["sku"]: _without("sku", each) for each in shown["products"]},
        "touches": sorted((each["at"], each["source"]) for each in shown["touches"]),
        "shared": {each["sku"]: each["at"] for each in shares["recent"]},
        "came_by": {each["customer_id"]: each["at"] for each in shares["came_by"]},
        "channels": shown["channels"],
        "regions": {each["region"]: each["at"] for each in shown["regions"]},
        "devices": {each["device"]: each["at"] for each in shown["devices"]},
    }


def _without(name: str, shown: Shown) -> Shown:
    return {key: value for key, value in shown.items() if key != name}


def _case_id(case: Shown) -> str:
    return str(case["case_id"])


def _wish_id(wish: Shown) -> str:
    return str(wish["wish_id"])
