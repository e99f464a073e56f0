"""A stack with its topics for the command."""

import pytest

from streams.settings import Settings
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """As the engine's tests have it."""
    return make_bench(settings)
