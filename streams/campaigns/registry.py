"""The campaigns in force, in the order in which they judge. One campaign a file."""

from streams.campaigns.abandoned_cart import ABANDONED_CART_CAMPAIGN
from streams.campaigns.bad_review import BAD_REVIEW_CAMPAIGN
from streams.campaigns.campaign import Campaign
from streams.campaigns.second_order import SECOND_ORDER_CAMPAIGN

CAMPAIGNS: tuple[Campaign, ...] = (
    ABANDONED_CART_CAMPAIGN,
    SECOND_ORDER_CAMPAIGN,
    BAD_REVIEW_CAMPAIGN,
)
