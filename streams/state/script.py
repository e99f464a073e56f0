"""The Lua scripts that are packaged in streams/state/scripts."""

import hashlib
import re
from importlib import resources

_INCLUDE = re.compile(r"^--@include (\w+)\n", re.MULTILINE)


def with_includes(text: str) -> str:
    """``text`` with the packaged file NAME.lua in the place of each line ``--@include NAME``."""
    return _INCLUDE.sub(lambda found: _packaged(found[1]), text)


def _packaged(name: str) -> str:
    return resources.files("streams.state").joinpath(f"scripts/{name}.lua").read_text()


class Script:
    """A script and the name that EVALSHA knows it by; ``text`` stands in for the packaged one."""

    def __init__(self, name: str, text: str | None = None) -> None:
        self.text = with_includes(_packaged(name) if text is None else text)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
