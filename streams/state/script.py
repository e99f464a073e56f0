"""The Lua scripts that are packaged in streams/state/scripts."""

import hashlib
from importlib import resources


class Script:
    """A script and the name that EVALSHA knows it by; ``text`` stands in for the packaged one."""

    def __init__(self, name: str, text: str | None = None) -> None:
        if text is None:
            path = resources.files("streams.state").joinpath(f"scripts/{name}.lua")
            text = path.read_text()
        self.text = text
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
