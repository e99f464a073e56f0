"""The Redis and the Redis Cluster that tests of the store run on."""

import pytest

from streams.local.redis_cluster import RedisCluster
from tests.state import deployment
from tests.state.deployment import Deployment


@pytest.fixture
def one_server(redis_url: str) -> Deployment:
    return deployment.one_server(redis_url)


@pytest.fixture
def cluster(redis_cluster: RedisCluster) -> Deployment:
    return deployment.cluster(redis_cluster.url, [node.port for node in redis_cluster.nodes])


@pytest.fixture(params=["one server", "cluster"])
def any_deployment(request: pytest.FixtureRequest) -> Deployment:
    name = str(request.param).replace(" ", "_")
    chosen: Deployment = request.getfixturevalue(name)
    return chosen
