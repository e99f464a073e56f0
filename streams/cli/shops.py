"""Shops' clocks and currencies for commands that show them, read from Kafka when first asked for."""

import time
from functools import cached_property

import typer

from streams.definitions import Definitions, DefinitionsError
from streams.definitions_reader import DefinitionsReader
from streams.domain.shop import ShopSettings
from streams.operations.logging import configure
from streams.settings import Settings

#: Seconds in which Kafka must have told the shops' settings, or things are shown without them.
DEFINITIONS_SECONDS = 5.0


class Shops:
    """The settings in force. While Kafka is away nothing is known, and a line on stderr says so."""

    def __init__(self, settings: Settings, command: str) -> None:
        self._settings = settings
        self._command = command

    @cached_property
    def definitions(self) -> Definitions | None:
        """All shops' versions; None while they cannot be read."""
        configure("warning")
        reader = DefinitionsReader(self._settings, patient=False, campaigns=False)
        try:
            reader.start(DEFINITIONS_SECONDS)
            return reader.current()
        except DefinitionsError as error:
            typer.echo(
                f"huitou {self._command}: shown without currency and time zone: {error}", err=True
            )
            return None
        finally:
            reader.stop()

    def has_settings(self, shop_id: str) -> bool:
        """Whether Kafka has told settings of the shop's own."""
        definitions = self.definitions
        return definitions is not None and shop_id in definitions.shops()

    def settings_of(self, shop_id: str, at_ms: int | None = None) -> ShopSettings | None:
        """One shop's at ``at_ms`` (ms since 1970), or now; None while nothing is known."""
        if at_ms is None:
            at_ms = time.time_ns() // 1_000_000
        definitions = self.definitions
        return definitions.at(shop_id, at_ms) if definitions else None

    def time_zone(self, shop_id: str) -> str | None:
        """An IANA name; None while nothing is known."""
        found = self.settings_of(shop_id)
        return found.time_zone if found else None

    def currency(self, shop_id: str) -> str | None:
        """ISO 4217; None while nothing is known."""
        found = self.settings_of(shop_id)
        return found.currency if found else None
