"""As the engine's tests: a stack's topics."""

import pytest

from streams.settings import Settings
from tests.engine.conftest import make_bench
from tests.engine.harness import Bench


@pytest.fixture
def bench(settings: Settings) -> Bench:
    """Topics made, with the session time-out that is shipped: nobody dies here."""
    held = settings.session_timeout
    made = make_bench(settings)
    settings.session_timeout = held
    return made
