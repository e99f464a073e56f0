"""Which lines of an outcome are other ones, in words."""

import difflib
from collections.abc import Iterator

#: Lines shown, and characters of each.
SHOWN, WIDTH = 20, 400


def differences(recorded: str, folded: str) -> Iterator[str]:
    """The lines that differ, recorded ones with a minus, as `git diff` has them; nothing where none do."""
    lines = [
        line
        for line in difflib.unified_diff(
            recorded.splitlines(), folded.splitlines(), "recorded", "folded", lineterm="", n=0
        )
        if not line.startswith(("---", "+++", "@@"))
    ]
    if lines:
        yield f"{len(lines)} lines differ"
    for line in lines[:SHOWN]:
        yield line if len(line) <= WIDTH else f"{line[:WIDTH]} ..."
