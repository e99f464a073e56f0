"""What all tests share: one Kafka and one Redis a run, and names of its own for every test."""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from streams.local.redis_cluster import RedisCluster
from streams.local.stack import Stack, choose_stack
from streams.settings import Settings

# On what is there, which is Hypothesis's own profile for CI where CI=true: no example fails for being slow.
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A local stack in a temporary folder, or the servers of KAFKA_BOOTSTRAP and REDIS_URL."""
    with choose_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def kafka(stack: Stack) -> str:
    """Kafka's bootstrap servers."""
    return stack.kafka


@pytest.fixture(scope="session")
def redis_url(stack: Stack) -> str:
    return stack.redis_url


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A Redis Cluster of three nodes without replicas. Whoever moves slots moves them back."""
    with RedisCluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def prefix() -> str:
    """Unique to the test, as ``t1a2b3c4d5e.``: for topic names, Redis keys and groups."""
    # 40 bits: of 24, two of a run's thousand tests would be equal in one run of thirty.
    return f"t{secrets.token_hex(5)}."


@pytest.fixture
def settings(kafka: str, redis_url: str, prefix: str) -> Settings:
    """Settings with which nothing of this test meets anything of another."""
    return settings_of(kafka, redis_url, prefix)


def settings_of(kafka: str, redis_url: str, prefix: str) -> Settings:
    """The settings of a stack whose names all begin with ``prefix``."""
    return Settings(
        kafka_bootstrap=kafka,
        redis_url=redis_url,
        topic_prefix=prefix,
        redis_prefix=f"{prefix}:",
        group=f"{prefix}group",
        code_key=SecretStr(secrets.token_hex(32)),
        metrics_port=0,
    )
