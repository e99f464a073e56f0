"""Every topic: what is in it, who writes and reads it, how it is keyed, kept and placed.

Names here have no prefix; ``kafka_names`` gives what a stack's topics are called in Kafka.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from schemas.campaign import CampaignEvent
from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.deadletter import DeadLetterEvent
from schemas.decision import DecisionEvent
from schemas.envelope import Envelope
from schemas.exchange import ExchangeEvent
from schemas.order import OrderEvent
from schemas.product import ProductEvent
from schemas.profile import ProfileEvent
from schemas.review import ReviewEvent
from schemas.service import ServiceEvent
from schemas.settings import SettingsEvent
from schemas.trigger import TriggerEvent
from schemas.verdict import VerdictEvent, WishVerdictEvent
from schemas.wish import WishEvent

DAY_MS: Final = 86_400_000
#: The longest window that a definition may look back over (365 days), and 35 days to rebuild in.
INPUT_RETENTION_MS: Final = 400 * DAY_MS
FOR_EVER: Final = -1
#: What a topic admits in one batch. The largest record is a dead letter, under 128 KB whatever it
#: is about (schemas.deadletter); producers' batches are at most 1 MB by default (librdkafka's
#: message.max.bytes, Java's max.request.size), and compression and headers need room above that.
MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024


class Placement(Enum):
    """How a record finds its partition."""

    #: murmur2 of the key, which is the envelope's subject (schemas.partitioner).
    BY_KEY = "by_key"
    #: The writer names the partition, that of the records it is about; a key says nothing of it.
    EXPLICIT = "explicit"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``event`` is the type of its records, None for those without an envelope; ``also`` are
    further types that it has, of topics that the workers write.
    """

    name: str
    event: type[Envelope] | None
    #: What the key holds, in a word or two; None when records have no key.
    key: str | None
    placement: Placement
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    description: str
    retention_ms: int = INPUT_RETENTION_MS
    #: False: one partition, whatever the stack's partition count.
    partitioned: bool = True
    #: Written and read by this project's own processes only; its form may change with the code.
    internal: bool = False
    also: tuple[type[Envelope], ...] = ()

    @property
    def events(self) -> tuple[type[Envelope], ...]:
        """All types of its records; none where these have no envelope."""
        return (self.event, *self.also) if self.event else ()

    def partitions(self, stack_partitions: int) -> int:
        """How many partitions the topic has in a stack of ``stack_partitions``."""
        return stack_partitions if self.partitioned else 1

    def configuration(self, min_insync_replicas: int) -> dict[str, str]:
        """The Kafka topic settings that are ours to say, all of them explicit."""
        return {
            "cleanup.policy": "delete",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(min_insync_replicas),
            "retention.bytes": "-1",
            "retention.ms": str(self.retention_ms),
        }


CLICKS: Final = "shop.clicks"
CARTS: Final = "shop.carts"
ORDERS: Final = "shop.orders"
REVIEWS: Final = "shop.reviews"
SERVICE: Final = "shop.service"
WISHES: Final = "shop.wishes"
PROFILES: Final = "shop.profiles"
PRODUCTS: Final = "shop.products"
CLOCK: Final = "shop.clock"
SETTINGS: Final = "shop.settings"
CAMPAIGNS: Final = "shop.campaigns"
EXCHANGE: Final = "shop.exchange"
JOURNAL: Final = "shop.journal"
ORIGIN: Final = "shop.origin"
TRIGGERS: Final = "shop.triggers"
VERDICTS: Final = "shop.verdicts"
DECISIONS: Final = "shop.decisions"
DEADLETTERS: Final = "shop.deadletters"


def _customer_topic(name: str, event: type[Envelope], upstream: str, description: str) -> Topic:
    return Topic(
        name=name,
        event=event,
        key="customer id",
        placement=Placement.BY_KEY,
        producers=(upstream, "huitou publish", "huitou replay"),
        consumers=("worker", "huitou verify"),
        description=description,
    )


_ALL: Final = (
    _customer_topic(CLICKS, ClickEvent, "storefront", "What a visitor looks at and does."),
    _customer_topic(CARTS, CartEvent, "storefront", "Changes of a customer's cart."),
    _customer_topic(ORDERS, OrderEvent, "order service", "The life of an order."),
    _customer_topic(
        REVIEWS, ReviewEvent, "review service", "What customers say of what they bought."
    ),
    _customer_topic(
        SERVICE, ServiceEvent, "customer service", "What customers ask and complain of, by case."
    ),
    _customer_topic(
        WISHES, WishEvent, "wish service", "What customers wish for, and who else likes it."
    ),
    _customer_topic(
        PROFILES, ProfileEvent, "account service", "What customers say of themselves and agree to."
    ),
    Topic(
        name=PRODUCTS,
        event=ProductEvent,
        key="sku",
        placement=Placement.BY_KEY,
        producers=("catalogue service", "huitou publish", "huitou simulate"),
        consumers=("huitou sink",),
        description="What a shop sells: names, categories, prices and stock.",
    ),
    Topic(
        name=CLOCK,
        event=None,
        key=None,
        placement=Placement.EXPLICIT,
        producers=("worker", "huitou replay"),
        consumers=("worker",),
        description="Ticks that move a partition's watermark; msgpack (schemas.clock).",
        retention_ms=DAY_MS,
        internal=True,
    ),
    Topic(
        name=SETTINGS,
        event=SettingsEvent,
        key="shop id",
        placement=Placement.BY_KEY,
        producers=("huitou settings",),
        consumers=("worker", "huitou verify"),
        description="A shop's definitions, each version with the time from which it holds.",
        retention_ms=FOR_EVER,
        partitioned=False,
    ),
    Topic(
        name=CAMPAIGNS,
        event=CampaignEvent,
        key="shop id",
        placement=Placement.BY_KEY,
        producers=("huitou campaigns",),
        consumers=("worker", "huitou verify", "huitou campaigns"),
        description="Every version of a campaign with the time from which it holds, and every pause.",
        retention_ms=FOR_EVER,
        partitioned=False,
    ),
    Topic(
        name=EXCHANGE,
        event=ExchangeEvent,
        key="who or what is told",
        placement=Placement.BY_KEY,
        producers=("worker",),
        consumers=("worker", "huitou verify"),
        description="Facts for another key: what its partition's owner is told by another's.",
        internal=True,
    ),
    Topic(
        name=JOURNAL,
        event=None,
        key=None,
        placement=Placement.EXPLICIT,
        producers=("worker",),
        consumers=("worker", "huitou verify"),
        description="A partition's order of processing, a row a commit; msgpack (schemas.journal).",
        internal=True,
    ),
    Topic(
        name=ORIGIN,
        event=None,
        key="customer id",
        placement=Placement.BY_KEY,
        producers=("huitou repartition",),
        consumers=("worker", "huitou verify"),
        description="The states that a later generation began with (streams.state.codec); else empty.",
        internal=True,
    ),
    Topic(
        name=TRIGGERS,
        event=TriggerEvent,
        key="customer id",
        placement=Placement.BY_KEY,
        producers=("worker",),
        consumers=("marketing", "huitou triggers", "huitou verify"),
        description="Coupons issued and messages asked for; read it with read_committed.",
    ),
    Topic(
        name=VERDICTS,
        event=VerdictEvent,
        also=(WishVerdictEvent,),
        key="customer id",
        placement=Placement.BY_KEY,
        producers=("worker",),
        consumers=("whoever reports on orders or wishes", "huitou sink", "huitou verify"),
        description=(
            "Orders held to be brushed, likes of wishes held to be bought, and those no longer; read it with "
            "read_committed."
        ),
    ),
    Topic(
        name=DECISIONS,
        event=DecisionEvent,
        key="customer id",
        placement=Placement.BY_KEY,
        producers=("worker",),
        consumers=("huitou sink", "huitou verify"),
        description="What campaigns refused, and why; read it with read_committed.",
    ),
    Topic(
        name=DEADLETTERS,
        event=DeadLetterEvent,
        key="topic/partition/offset of the refused record",
        placement=Placement.EXPLICIT,
        producers=("worker",),
        consumers=("upstream teams", "SRE"),
        description="Every record that could not be read, in the partition it was found in.",
    ),
)

TOPICS: Final[dict[str, Topic]] = {topic.name: topic for topic in _ALL}
#: The topics that upstream services write about customers, in fold order.
CUSTOMER_TOPICS: Final = (CLICKS, CARTS, ORDERS, REVIEWS, SERVICE, WISHES, PROFILES)
#: All that upstream services write. Products are not folded: the query store has what they are called.
UPSTREAM_TOPICS: Final = (*CUSTOMER_TOPICS, PRODUCTS)
#: All that is folded into states, in fold order: these, and what one partition tells another.
FOLDED_TOPICS: Final = (*CUSTOMER_TOPICS, EXCHANGE)


def kafka_names(prefix: str = "") -> dict[str, str]:
    """Kafka topic name to catalogue name, for a stack whose topics' names begin with ``prefix``."""
    return {prefix + name: name for name in TOPICS}
