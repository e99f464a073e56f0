"""Definitions as they are before anybody has written any."""

from typing import Final

from streams.campaigns.applied.view import Campaigns
from streams.definitions_reader import AllDefinitions

#: Every shop has the defaults and no campaign of its own.
NO_DEFINITIONS: Final = AllDefinitions((), {}, Campaigns({}, 0))
