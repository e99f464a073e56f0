"""Fills a rig's topics before a worker starts, as `huitou replay` does."""

from producers.bulk import BulkPublisher
from producers.clock import ClockOwner
from producers.cluster import Cluster
from producers.playback import Playback
from producers.source import Feed
from streams.settings import Settings


def fill(settings: Settings, feed: Feed) -> int:
    """Publishes the whole feed with the ticks of its own clock; returns how many records."""
    cluster = Cluster(settings.kafka_bootstrap, settings.topic_prefix)
    publisher = BulkPublisher(cluster, client_id="huitou-bench", linger_ms=20)
    clock = ClockOwner(cluster, tool="bench", start_ms=feed.start_ms, until_ms=feed.until_ms)
    with clock:
        return Playback(feed).run(publisher, clock).published
