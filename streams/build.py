"""Which code this is: the version, and a digest of everything that decides what folding gives."""

import hashlib
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

#: Packages and modules whose change may change states or triggers.
_DECIDING = (
    ("schemas", ""),
    ("streams", "domain"),
    ("streams", "campaigns"),
    ("streams", "state"),
    *(
        ("streams", f"engine/{name}.py")
        for name in ("checksum", "commit", "draft", "outgoing", "process")
    ),
)


@cache
def build() -> str:
    """As ``0.1.0+3f2a9c41``: two processes with the same name fold the same events to the same bytes."""
    digest = hashlib.blake2b(digest_size=4)
    for path, text in deciding_files().items():
        digest.update(path.encode())
        digest.update(text)
    return f"{importlib.metadata.version('huitou')}+{digest.hexdigest()}"


def deciding_files() -> dict[str, bytes]:
    """Path from the project's root -> text, in the order in which the digest takes them."""
    files: dict[str, bytes] = {}
    for package, folder in _DECIDING:
        place = resources.files(package).joinpath(*folder.split("/"))
        files.update(sorted(_sources(place, f"{package}/{folder}".rstrip("/"))))
    return files


def _sources(place: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    if place.is_file():
        # Not campaigns' templates: they are copied, and what is in force comes from a topic.
        if place.name.endswith((".py", ".lua")):
            yield path, place.read_bytes()
        return
    for entry in place.iterdir():
        yield from _sources(entry, f"{path}/{entry.name}")
