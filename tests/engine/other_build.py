"""Another build of the same project: a copy of its sources with changes, in processes of its own."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from streams.domain.state import STATE_VERSION
from streams.settings import Settings
from tests.engine.harness import WorkerProcess, environment

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "producers", "streams")


class OtherBuild:
    """The sources in ``folder``; ``changes``: path -> {text: what stands in its place}."""

    def __init__(self, folder: Path, changes: Mapping[str, Mapping[str, str]]) -> None:
        self._folder = folder
        for package in PACKAGES:
            shutil.copytree(
                ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
            )
        for path, texts in changes.items():
            text = (folder / path).read_text(encoding="utf-8")
            for old, new in texts.items():
                assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
                text = text.replace(old, new)
            (folder / path).write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """Its packages come before the installed ones and those of the current folder."""
        return {"PYTHONPATH": str(self._folder), "PYTHONSAFEPATH": "1"}

    def worker(self, settings: Settings, log: Path) -> WorkerProcess:
        return WorkerProcess(settings, log, **self.environment)

    def run_cli(
        self, settings: Settings, *arguments: str, timeout: float = 240
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "streams.cli.main", *arguments],
            env={**environment(settings), **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


#: A build whose states have one more field, as every change of the encoding must look.
NEXT_ENCODING = {
    "streams/domain/state.py": {
        f"STATE_VERSION = {STATE_VERSION}\n": f"STATE_VERSION = {STATE_VERSION + 1}\n",
        # The last of the fields: new ones are appended.
        "    expires: int = 0\n": (
            "    expires: int = 0\n    #: Known from the next version on.\n    tier: str = 'none'\n"
        ),
    }
}
