"""What an error that Kafka's client hands over means to the sink.

``KafkaError.retriable`` does not say: it is about the calls of a transactional producer, and False of all
that a consumer meets.
"""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from streams.query.errors import StoreRefused

#: A broker that is away or changes its part, and a membership of the group that ended: the client goes on by
#: itself, and what was polled meanwhile is compared with the store's offsets as ever.
_PASSING: Final = frozenset(
    {
        KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._TIMED_OUT,
        KafkaError._WAIT_COORD, KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.REQUEST_TIMED_OUT,
        KafkaError.BROKER_NOT_AVAILABLE, KafkaError.REPLICA_NOT_AVAILABLE, KafkaError.NETWORK_EXCEPTION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR, KafkaError.KAFKA_STORAGE_ERROR, KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REBALANCE_IN_PROGRESS, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION,
    }
)  # fmt: skip
_FORBIDDEN: Final = frozenset(
    {
        KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)  # fmt: skip
_NO_SUCH_OFFSET: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})


def is_passing(error: KafkaError, where: str, offset: int | None) -> bool:
    """True of an error that the client gets over by itself.

    ``where``: topic and partition, ``offset``: at which it was met. Raises StoreRefused for what no restart
    mends, and KafkaException, a doubt, for anything else.
    """
    if error.code() in _NO_SUCH_OFFSET:
        raise StoreRefused(
            f"{where}: the topic has no offset {offset} any more, at which the store stands: retention was "
            "faster. Run it with an archive of the topics (--archive), or fill another store (--store) from "
            "what the topics have"
        )
    if error.code() in _FORBIDDEN:
        raise StoreRefused(f"{where}: Kafka does not let this sink read: {error.str()}")
    if error.fatal() or error.code() not in _PASSING:
        raise KafkaException(error)
    return True
