"""Engine tests: a stack with its topics, and workers that notice a death soon."""

import pytest

from streams.settings import Settings
from streams.topics import create_topics
from tests.engine.harness import Bench


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """Topics made; the shortest session that a broker grants by default."""
    return make_bench(settings)


def make_bench(settings: Settings) -> Bench:
    settings.session_timeout = 6.0
    create_topics(settings)
    return Bench(settings)
