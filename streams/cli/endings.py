"""How a command ends that cannot do its work: one sentence, and an exit code that says what kind it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

#: Differences or damage were found.
EXIT_FOUND = 1
#: The command line asks for what does not exist.
EXIT_USAGE = 2
#: A server did not answer; nothing is known to be wrong: run it again.
EXIT_DOUBT = 70
#: Nothing helps but what the sentence says.
EXIT_REFUSED = 78


@contextmanager
def said_errors(command: str) -> Iterator[None]:
    """Turns what `huitou <command>` may raise into a sentence on standard error and an exit code."""
    from confluent_kafka import KafkaException
    from redis.exceptions import RedisError

    from streams.archive.errors import ArchiveRefused
    from streams.definitions import DefinitionsError
    from streams.engine.draft import FoldError
    from streams.engine.log_errors import LogError, LogIncomplete
    from streams.engine.refusal import RecoveryRefused
    from streams.repair.refused import RepairDoubt, RepairRefused
    from streams.state.codec import StateCodecError
    from streams.state.redis_store import StoreError

    refusals = (
        RepairRefused, RecoveryRefused, ArchiveRefused, StoreError, StateCodecError, LogError, FoldError,
    )  # fmt: skip
    try:
        yield
    except (LogIncomplete, DefinitionsError, RedisError, KafkaException, RepairDoubt) as error:
        raise end(command, error, EXIT_DOUBT) from None
    except refusals as error:
        raise end(command, error, EXIT_REFUSED) from None
    except ValueError as error:
        raise end(command, error, EXIT_USAGE) from None


def end(command: str, error: object, code: int) -> typer.Exit:
    """Says why `huitou <command>` does no more."""
    typer.echo(f"huitou {command}: {error}", err=True)
    return typer.Exit(code)
