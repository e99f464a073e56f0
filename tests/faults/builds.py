"""Other builds of the same code: copies of the packages in which a comment differs, and so the digest."""

import shutil
from importlib import resources
from pathlib import Path
from typing import Final

#: All that a worker runs of this tree.
_PACKAGES: Final = ("schemas", "producers", "streams")
#: One of those whose text names the build; see streams.build.
_DECIDING: Final = Path("streams", "domain", "fold.py")


class Builds:
    """Makes one copy after another under ``folder``; each folds as this tree does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def next(self) -> Path:
        """The folder of a new build, to start a worker in."""
        self._made += 1
        tree = self._folder / f"build-{self._made}"
        for package in _PACKAGES:
            # With the compiled modules, which know their sources by time and size.
            shutil.copytree(Path(str(resources.files(package))), tree / package)
        with (tree / _DECIDING).open("a", encoding="utf-8") as source:
            source.write(f"# Build {self._made}.\n")
        return tree
