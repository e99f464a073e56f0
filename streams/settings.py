"""Settings of a stack and a worker, from the environment: HUITOU_*, KAFKA_BOOTSTRAP, REDIS_URL."""

from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.domain.aggregated import KEPT_DAYS


class Settings(BaseSettings):
    """Every field can be set as ``HUITOU_<NAME>``; durations are seconds unless the name says otherwise."""

    #: An empty variable is one that is not set.
    model_config = SettingsConfigDict(
        env_prefix="HUITOU_", populate_by_name=True, env_ignore_empty=True
    )

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        validation_alias=AliasChoices("KAFKA_BOOTSTRAP", "HUITOU_KAFKA_BOOTSTRAP"),
    )
    #: redis://host:port/db, or redis+cluster://host:port,host:port for a Redis Cluster.
    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        validation_alias=AliasChoices("REDIS_URL", "HUITOU_REDIS_URL"),
    )
    #: Consumer group, and the first part of every transactional id.
    group: str = "huitou"
    topic_prefix: str = ""
    redis_prefix: str = "huitou:"
    partitions: int = 8
    replication: int = 1
    min_insync_replicas: int = 1
    #: HMAC key of the coupon codes; the same for all workers of a stack.
    code_key: SecretStr = SecretStr("")
    code_key_id: str = "1"
    #: Which of the stack's worker slots this process is; names its transactional id. Who restarts workers
    #: gives each its own (the pod's ordinal), so that a restart ends at once what its predecessor left open.
    #: None: one is leased from Redis, for ``slot_lease`` seconds at a time.
    slot: int | None = None
    slot_lease: float = 30.0
    #: Port of /metrics, /livez and /readyz; 0 picks a free one and logs it.
    metrics_port: int = 8000
    metrics_host: str = "127.0.0.1"
    #: How long a fetch may wait for more records: fewer, larger cycles, for that much latency.
    fetch_wait: float = 0.04
    #: How far the watermark stays behind the ticks, for the whole stack, until shop.settings says otherwise.
    lateness: float = 5.0
    tick_interval: float = 1.0
    #: How far ahead a later version of a definition must take effect, so that every worker has read it.
    apply_ahead: float = 60.0
    session_timeout: float = 10.0
    #: States held in memory by one worker; least recently used ones are dropped and read again.
    cache_states: int = 200_000
    #: Days before a shop's newest one for which its aggregates are kept; the same for all workers.
    aggregate_days: int = Field(default=KEPT_DAYS, ge=1)
    max_poll_records: int = 16_000
    #: Bad share of a topic's records within ``poison_window`` that pauses the topic, from
    #: ``poison_records`` on.
    poison_share: float = 0.5
    poison_records: int = 1_000
    poison_window: float = 60.0
    #: Crash points, for tests only: ``point`` or ``point:n`` (at its n-th passing), comma-separated.
    crash: str = ""
    log_level: str = "info"
    #: Where `huitou sink` keeps its rows: sqlite:///PATH or postgresql://...; None: a file
    #: beside the default local stack.
    query_store: str | None = None
    #: Where faust keeps its own files; they hold nothing that matters.
    data_dir: Path = Path("/tmp/huitou")  # noqa: S108
